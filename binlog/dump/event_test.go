package dump

import (
	"encoding/binary"
	"testing"
)

// TestEncryptionIsMadeUp reads the event with which MariaDB 10.5 to 11.8, with
// encrypt_binlog, begins a dump from the middle of a file, as it comes from a
// real one: it stands nowhere in the file, though no flag says so. At the file's
// beginning it does.
func TestEncryptionIsMadeUp(t *testing.T) {
	for pos, madeUp := range map[uint32]bool{0: true, 296: false} {
		b := make([]byte, HeaderSize+17)
		binary.LittleEndian.PutUint32(b, 1795733485)
		b[4] = byte(EvStartEncryption)
		binary.LittleEndian.PutUint32(b[9:], uint32(len(b)))
		binary.LittleEndian.PutUint32(b[13:], pos)
		binary.LittleEndian.PutUint16(b[17:], FlagIgnorable)
		e, err := parseEvent(b, false, false)
		if err != nil {
			t.Fatal(err)
		}
		if got := e.Flags&FlagArtificial != 0; got != madeUp || e.InGroup() {
			t.Errorf("that ends at %d: made up %t, in a group %t", pos, got, e.InGroup())
		}
	}
}
