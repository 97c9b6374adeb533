package auth

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
)

// scram is the server's side of a SCRAM exchange: client-first, server-first,
// client-final, server-final (RFC 5802, sections 5 and 7). A wrong proof gets no
// server-final with e=: Kafka tells failures in its own response.
type scram struct {
	*Exchange
	hash  hashAlg
	entry *entry

	first       clientFirst
	serverFirst string
	serverNonce string
}

// nonceSize is in random bytes.
const nonceSize = 18

func (s *scram) clientFirst(_ context.Context, token []byte) (_ []byte, _ *Login, err error) {
	if s.first, err = parseClientFirst(string(token)); err != nil {
		return nil, nil, err
	}
	s.username = s.first.username
	if err := s.checkIdentity(s.first.authzid); err != nil {
		return nil, nil, err
	}
	if s.entry, err = s.registry.find(s.username); err != nil {
		return nil, nil, err
	}
	nonce := make([]byte, nonceSize)
	rand.Read(nonce)
	s.serverNonce = base64.StdEncoding.EncodeToString(nonce)
	v := &s.entry.verifiers[s.hash]
	s.serverFirst = "r=" + s.first.nonce + s.serverNonce +
		",s=" + base64.StdEncoding.EncodeToString(v.salt) +
		",i=" + strconv.Itoa(v.iterations)
	s.step = s.clientFinal
	return []byte(s.serverFirst), nil, nil
}

func (s *scram) clientFinal(ctx context.Context, token []byte) ([]byte, *Login, error) {
	final, err := parseClientFinal(string(token))
	nonce := s.first.nonce + s.serverNonce
	switch {
	case err != nil:
		return nil, nil, err
	case final.gs2Header != s.first.gs2Header:
		return nil, nil, fmt.Errorf("%w: the channel binding is not the one that the exchange began with", ErrMessage)
	// librdkafka before 2.6.1 writes its own nonce twice, and Kafka 3 takes it.
	case final.nonce != nonce && final.nonce != s.first.nonce+nonce:
		return nil, nil, fmt.Errorf("%w: the nonce is not the one of this exchange", ErrMessage)
	}
	v := &s.entry.verifiers[s.hash]
	message := []byte(s.first.bare + "," + s.serverFirst + "," + final.withoutProof)
	who, err := s.attempt(ctx, s.entry, func() bool { return s.proves(v, message, final.proof) })
	if err != nil {
		return nil, nil, err
	}
	signature := s.hash.mac(v.serverKey, message)
	return []byte("v=" + base64.StdEncoding.EncodeToString(signature)), who, nil
}

// proves tells whether the proof holds the ClientKey whose hash is StoredKey.
func (s *scram) proves(v *verifier, message, proof []byte) bool {
	key := s.hash.mac(v.storedKey, message)
	if len(proof) != len(key) {
		return false
	}
	subtle.XORBytes(key, key, proof)
	return subtle.ConstantTimeCompare(s.hash.sum(key), v.storedKey) == 1
}

// clientFirst is the client's first message.
type clientFirst struct {
	gs2Header string // with its last comma
	authzid   string
	bare      string // what follows the header
	username  string
	nonce     string
}

// parseClientFirst reads gs2-header client-first-message-bare. Extensions
// after the nonce, such as Kafka's tokenauth, are passed over, but not a
// mandatory one.
func parseClientFirst(m string) (f clientFirst, err error) {
	flag, rest, ok := strings.Cut(m, ",")
	identity, bare, ok2 := strings.Cut(rest, ",")
	if !ok || !ok2 {
		return f, fmt.Errorf("%w: the first SCRAM message has no header", ErrMessage)
	}
	if strings.HasPrefix(flag, "p=") {
		return f, fmt.Errorf("%w: channel binding is not supported", ErrMessage)
	}
	if flag != "n" && flag != "y" {
		return f, fmt.Errorf("%w: the first SCRAM message has no channel binding flag", ErrMessage)
	}
	f.gs2Header, f.bare = m[:len(m)-len(bare)], bare
	if identity != "" {
		name, ok := strings.CutPrefix(identity, "a=")
		if f.authzid, err = saslName(name); !ok || err != nil {
			return f, fmt.Errorf("%w: the authorization identity is malformed", ErrMessage)
		}
	}
	attributes := strings.Split(bare, ",")
	if strings.HasPrefix(bare, "m=") {
		return f, fmt.Errorf("%w: a mandatory SCRAM extension is not supported", ErrMessage)
	}
	if len(attributes) < 2 {
		return f, fmt.Errorf("%w: the first SCRAM message has no nonce", ErrMessage)
	}
	name, ok := strings.CutPrefix(attributes[0], "n=")
	nonce, ok2 := strings.CutPrefix(attributes[1], "r=")
	if f.username, err = saslName(name); !ok || err != nil {
		return f, fmt.Errorf("%w: the username is malformed", ErrMessage)
	}
	if f.nonce = nonce; !ok2 || !printable(nonce) {
		return f, fmt.Errorf("%w: the nonce is malformed", ErrMessage)
	}
	return f, nil
}

// clientFinal is the client's second message.
type clientFinal struct {
	gs2Header    string
	nonce        string
	withoutProof string
	proof        []byte
}

// parseClientFinal reads client-final-message. Extensions between the nonce
// and the proof are passed over.
func parseClientFinal(m string) (f clientFinal, err error) {
	at := strings.LastIndex(m, ",p=")
	if at < 0 {
		return f, fmt.Errorf("%w: the second SCRAM message has no proof", ErrMessage)
	}
	f.withoutProof = m[:at]
	if f.proof, err = decode(m[at+len(",p="):]); err != nil {
		return f, err
	}
	attributes := strings.Split(f.withoutProof, ",")
	if len(attributes) < 2 {
		return f, fmt.Errorf("%w: the second SCRAM message has no nonce", ErrMessage)
	}
	binding, ok := strings.CutPrefix(attributes[0], "c=")
	nonce, ok2 := strings.CutPrefix(attributes[1], "r=")
	if !ok || !ok2 {
		return f, fmt.Errorf("%w: the second SCRAM message has no channel binding or nonce", ErrMessage)
	}
	header, err := decode(binding)
	f.gs2Header, f.nonce = string(header), nonce
	return f, err
}

func decode(text string) ([]byte, error) {
	b, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil || strings.ContainsAny(text, "\r\n") { // which the decoder passes over
		return nil, fmt.Errorf("%w: bad base64", ErrMessage)
	}
	return b, nil
}

// saslName undoes the escapes of a saslname: =2C and =3D are the only ones.
func saslName(s string) (string, error) {
	rest := strings.NewReplacer("=2C", "", "=3D", "").Replace(s)
	if s == "" || strings.ContainsAny(rest, "=\x00") {
		return "", ErrMessage
	}
	return strings.NewReplacer("=2C", ",", "=3D", "=").Replace(s), nil
}

// printable tells whether s is a nonce: ASCII without control characters,
// blanks and commas.
func printable(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' || s[i] == ',' {
			return false
		}
	}
	return s != ""
}
