package binlog

import (
	"cmp"
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
	r.catalog.SetServer(schemaServer(s.status, r.version()))
	r.generation++ // the decoders are of the server too
}

// version is that of the server that wrote what is read.
func (r *Reader) version() int { return cmp.Or(r.wrote, r.server.Load().Version) }

// schemaServer is the server that definitions are asked of.
func (r *Reader) schemaServer() schema.Server {
	s := r.server.Load()
	return schemaServer(s, s.Version)
}

// schemaServer describes a server, as it was at a version.
func schemaServer(s *Status, version int) schema.Server {
	return schema.Server{
		Flavor: string(s.Flavor), Version: version, LowerCaseTableNames: s.LowerCaseTableNames,
		DefaultCharset:               s.Charset,
		DefaultEngine:                s.Engine,
		ExplicitDefaultsForTimestamp: s.Variables["explicit_defaults_for_timestamp"] == "ON",
		UTF8MB4:                      s.Flavor == MariaDB && version >= 100600 && !strings.Contains(s.Variables["old_mode"], "UTF8_IS_UTF8MB3"),
		NativeForeignKeys:            s.Variables["innodb_native_foreign_keys"] == "ON",
	}
}

func (r *Reader) decoderOptions() rowevent.DecoderOptions {
	return rowevent.DecoderOptions{Flavor: string(r.Flavor()), Version: r.version(), TableIDSize: r.stream.format.TableIDSize, Scratch: &r.scratch}
}
