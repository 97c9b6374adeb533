package binlog

import (
	"strings"

	"daybook/binlog/rowevent"
	"daybook/binlog/schema"
)

// followServer has what is read mean what it means at the server that wrote it:
// an upgrade goes by a replica of a newer version that takes the source's place,
// or by a restart, behind which the files of the older version are still to be read.
func (r *Reader) followServer() {
	s := r.stream
	if s.status == r.server.Load() && s.format.Number == r.wrote {
		return
	}
	r.server.Store(s.status)
	r.wrote = s.format.Number
	r.catalog.SetServer(schemaServer(s.status, r.wrote))
	r.generation++ // the decoders are of the server too
}

// schemaServer is the server that definitions are asked of.
func (r *Reader) schemaServer() schema.Server {
	return schemaServer(r.server.Load(), 0)
}

// schemaServer describes a server of the version that wrote a file; 0: its own.
func schemaServer(s *Status, wrote int) schema.Server {
	if wrote == 0 {
		wrote = s.Version
	}
	return schema.Server{
		Flavor: string(s.Flavor), Version: wrote, LowerCaseTableNames: s.LowerCaseTableNames,
		DefaultCharset:               s.Charset,
		DefaultEngine:                s.Engine,
		ExplicitDefaultsForTimestamp: s.Variables["explicit_defaults_for_timestamp"] == "ON",
		UTF8MB4:                      s.Flavor == MariaDB && wrote >= 100600 && !strings.Contains(s.Variables["old_mode"], "UTF8_IS_UTF8MB3"),
		NativeForeignKeys:            s.Variables["innodb_native_foreign_keys"] == "ON",
	}
}

func (r *Reader) decoderOptions() rowevent.DecoderOptions {
	s := r.server.Load()
	o := rowevent.DecoderOptions{Flavor: string(s.Flavor), Version: s.Version, TableIDSize: r.stream.format.TableIDSize, Scratch: &r.scratch}
	if r.wrote != 0 {
		o.Version = r.wrote
	}
	return o
}
