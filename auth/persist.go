package auth

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"time"

	"daybook/store"
)

// tableName is the store table that holds the accounts and the secret that
// salts are derived from. A text is written as its length in two bytes and its
// bytes.
//
//	key         value
//	secret      format 1, 32 random bytes
//	g group ID  format 1, created int64, password changed int64, account, topic,
//	            then for SHA-256 and SHA-512 each:
//	            iterations int32, salt, StoredKey, ServerKey
//
// Numbers are big-endian, times are in milliseconds since the epoch.
const tableName = "accounts"

const (
	secretFormat  = 1
	accountFormat = 1
)

var secretKey = []byte("secret")

const accountPrefix = "g"

func accountKey(group string) []byte { return []byte(accountPrefix + group) }

// loadSecret reads the decoys' secret, or makes it for the first time. It is
// kept, so that no name's salt changes when Daybook restarts: if only those of
// unknown names did, they would be told from the others.
func (r *Registry) loadSecret() error {
	value, ok, err := r.table.Get(secretKey)
	if err != nil {
		return fmt.Errorf("read table %s: %w", tableName, err)
	}
	if !ok {
		value = make([]byte, 1+secretSize)
		value[0] = secretFormat
		rand.Read(value[1:])
		if err := r.table.Put(secretKey, value); err != nil {
			return fmt.Errorf("save the secret of salts: %w", err)
		}
	}
	d := decoder{rest: value}
	d.format(secretFormat)
	r.decoys.secret = d.bytes(secretSize)
	if err := d.end(); err != nil {
		return fmt.Errorf("read the secret of salts: %w", err)
	}
	return nil
}

// load reads the stored accounts.
func (r *Registry) load(ctx context.Context) error {
	for kv, err := range r.table.Scan([]byte(accountPrefix)) {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return fmt.Errorf("read table %s: %w", tableName, err)
		}
		group := string(kv.Key[len(accountPrefix):])
		e, err := decodeAccount(group, kv.Value)
		if err != nil {
			return fmt.Errorf("read the account of group %q: %w", group, err)
		}
		r.put(e)
	}
	return nil
}

func (r *Registry) save(e *entry) error { return r.table.Put(accountKey(e.Group), encodeAccount(e)) }

func encodeAccount(e *entry) []byte {
	b := []byte{accountFormat}
	b = binary.BigEndian.AppendUint64(b, uint64(e.Created.UnixMilli()))
	b = binary.BigEndian.AppendUint64(b, uint64(e.PasswordChanged.UnixMilli()))
	b = appendText(b, []byte(e.Account))
	b = appendText(b, []byte(e.Topic))
	for _, v := range e.verifiers {
		b = binary.BigEndian.AppendUint32(b, uint32(v.iterations))
		b = appendText(b, v.salt)
		b = append(b, v.storedKey...)
		b = append(b, v.serverKey...)
	}
	return b
}

func decodeAccount(group string, value []byte) (*entry, error) {
	d := decoder{rest: value}
	d.format(accountFormat)
	i := Info{Group: group, Owner: OwnerStore}
	i.Created = time.UnixMilli(int64(d.uint64()))
	i.PasswordChanged = time.UnixMilli(int64(d.uint64()))
	i.Account, i.Topic = string(d.text()), string(d.text())
	var vs verifiers
	for h := range hashes {
		vs[h] = verifier{
			iterations: int(d.uint32()),
			salt:       d.text(),
			storedKey:  d.bytes(h.size()),
			serverKey:  d.bytes(h.size()),
		}
	}
	if err := d.end(); err != nil {
		return nil, err
	}
	return entryOf(i, vs, newLogins()), nil
}

func appendText(dst, text []byte) []byte {
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(text)))
	return append(dst, text...)
}

// decoder reads a value from its start. After its first error it reads zeros.
type decoder struct {
	rest []byte
	err  error
}

// format takes the value's first byte.
func (d *decoder) format(newest byte) {
	b := d.bytes(1)
	if d.err == nil && b[0] > newest {
		d.err = fmt.Errorf("%w: value format %d, this Daybook knows %d", store.ErrNewerFormat, b[0], newest)
	}
}

func (d *decoder) bytes(n int) []byte {
	if d.err == nil && len(d.rest) < n {
		d.err = fmt.Errorf("%w: the value ends early", store.ErrCorrupt)
	}
	if d.err != nil {
		return make([]byte, n)
	}
	b := d.rest[:n:n]
	d.rest = d.rest[n:]
	return b
}

func (d *decoder) uint32() uint32 { return binary.BigEndian.Uint32(d.bytes(4)) }
func (d *decoder) uint64() uint64 { return binary.BigEndian.Uint64(d.bytes(8)) }
func (d *decoder) text() []byte   { return d.bytes(int(binary.BigEndian.Uint16(d.bytes(2)))) }

// end returns what went wrong; bytes that are left are wrong too.
func (d *decoder) end() error {
	if d.err == nil && len(d.rest) > 0 {
		d.err = fmt.Errorf("%w: %d bytes behind the value's end", store.ErrCorrupt, len(d.rest))
	}
	return d.err
}
