//go:build servers

package kafka

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"strconv"
)

// describeRecords adds to fields what the records of a Fetch answer are: whole
// batches by their bytes, message sets message by message.
func describeRecords(fields map[string]string, path string, b []byte) {
	const beforeLength, magicAt = 12, 16
	n := 0
	for ; len(b) > magicAt; n++ {
		at := fmt.Sprintf("%s[%d]", path, n)
		size := beforeLength + int(binary.BigEndian.Uint32(b[8:]))
		if size > len(b) {
			break
		}
		offset := binary.BigEndian.Uint64(b)
		fields[at] = fmt.Sprintf("offset %d, magic %d, %d bytes, SHA-256 %x", offset, b[magicAt], size, sha256.Sum256(b[:size]))
		b = b[size:]
	}
	fields["len("+path+")"] = strconv.Itoa(n)
	if len(b) > 0 {
		fields[path+" cut off"] = fmt.Sprintf("%d bytes: %x", len(b), sha256.Sum256(b))
	}
}
