package recordbatch

import (
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

// packer holds the state of the compressions that keep one between two uses.
// Each has its fastest level: on row changes, higher ones take up to twice the
// time for at most a tenth less bytes (BenchmarkCompress).
type packer struct {
	gzip *gzip.Writer
	lz4  *lz4.Writer
	zstd *zstd.Encoder
}

// append appends src to dst in compressed form; as it is for none.
func (p *packer) append(dst, src []byte, c Compression) ([]byte, error) {
	switch c {
	case None, "":
		return append(dst, src...), nil
	case Gzip:
		return p.appendGzip(dst, src)
	case Snappy:
		return appendSnappy(dst, src), nil
	case LZ4:
		return p.appendLZ4(dst, src)
	case Zstd:
		return p.appendZstd(dst, src)
	}
	return dst, fmt.Errorf("there is no compression %q", c)
}

// appender is the io.Writer that appends.
type appender struct{ b []byte }

// Write implements io.Writer.
func (a *appender) Write(p []byte) (int, error) {
	a.b = append(a.b, p...)
	return len(p), nil
}

func (p *packer) appendGzip(dst, src []byte) ([]byte, error) {
	out := &appender{dst}
	if p.gzip == nil {
		w, err := gzip.NewWriterLevel(out, gzip.BestSpeed)
		if err != nil {
			return dst, err
		}
		p.gzip = w
	} else {
		p.gzip.Reset(out)
	}
	if _, err := p.gzip.Write(src); err != nil {
		return dst, err
	}
	err := p.gzip.Close()
	return out.b, err
}

// Java's clients read only blocks that are independent of each other, which is
// what the library writes; their own have 64 KiB, too. The checksum of the
// content is left out: batches and messages have their own.
func (p *packer) appendLZ4(dst, src []byte) ([]byte, error) {
	out := &appender{dst}
	if p.lz4 == nil {
		p.lz4 = lz4.NewWriter(out)
		if err := p.lz4.Apply(lz4.BlockSizeOption(lz4.Block64Kb), lz4.ChecksumOption(false)); err != nil {
			return dst, err
		}
	} else {
		p.lz4.Reset(out)
	}
	if _, err := p.lz4.Write(src); err != nil {
		return dst, err
	}
	err := p.lz4.Close()
	return out.b, err
}

// A window of 64 KiB is the fastest, and loses nothing.
func (p *packer) appendZstd(dst, src []byte) ([]byte, error) {
	if p.zstd == nil {
		w, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedFastest),
			zstd.WithWindowSize(64<<10), zstd.WithLowerEncoderMem(true), zstd.WithEncoderCRC(false))
		if err != nil {
			return dst, err
		}
		p.zstd = w
	}
	return p.zstd.EncodeAll(src, dst), nil
}

// The framing of snappy-java's streams, which Java's producers write and every
// client reads: a header with twice the version, then blocks after their
// lengths.
const (
	snappyHeader = "\x82SNAPPY\x00\x00\x00\x00\x01\x00\x00\x00\x01"
	snappyBlock  = 32 << 10 // bytes before compression: what snappy-java takes
)

func appendSnappy(dst, src []byte) []byte {
	dst = append(dst, snappyHeader...)
	for len(src) > 0 {
		block := src[:min(len(src), snappyBlock)]
		src = src[len(block):]
		at := len(dst)
		dst = slices.Grow(dst, 4+s2.MaxEncodedLen(len(block)))
		dst = dst[:at+4+s2.MaxEncodedLen(len(block))]
		size := len(s2.EncodeSnappy(dst[at+4:], block))
		binary.BigEndian.PutUint32(dst[at:], uint32(size))
		dst = dst[:at+4+size]
	}
	return dst
}
