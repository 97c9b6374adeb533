package cli

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"

	"daybook/access"
	"daybook/admin"
	"daybook/config"

	"github.com/spf13/cobra"
)

// remote is what the commands share that talk to a running Daybook.
type remote struct {
	app                            *app
	noun                           string // what they are about: group or task
	url, tokenFile, caFile, output string
}

func (r *remote) flags(cmd *cobra.Command) {
	f := cmd.PersistentFlags()
	f.StringVarP(&r.app.configPath, "config", "c", "daybook.yaml", "configuration `file` of the running Daybook, for the address and the token")
	f.StringVar(&r.url, "admin", "", "`URL` of the admin API, such as http://127.0.0.1:8378; default: what the configuration says")
	f.StringVar(&r.tokenFile, "token-file", "", "`file` with the admin API's token; default: what the configuration says")
	f.StringVar(&r.caFile, "ca-file", "", "`file` with the certificates to trust for an https URL; default: cert_file of the configuration, with --admin the system's")
	outputFlag(cmd, &r.output, true)
}

// call runs f with a client of the Daybook that the flags name.
func (r *remote) call(f func(*admin.Client) error) error {
	if err := checkOutput(r.output); err != nil {
		return err
	}
	c, err := r.client()
	if err != nil {
		return err
	}
	defer c.Close()
	return r.explain(f(c))
}

func (r *remote) client() (*admin.Client, error) {
	o, named := admin.ClientOptions{URL: r.url}, r.tokenFile != ""
	if r.url == "" || r.tokenFile == "" {
		if err := r.configured(&o); err != nil {
			return nil, err
		}
	}
	if r.caFile != "" {
		roots, err := certificates(r.caFile)
		if err != nil {
			return nil, &usageError{err}
		}
		o.TLS = &tls.Config{RootCAs: roots}
	}
	var err error
	if o.Token, err = access.ReadToken(r.tokenFile); err != nil {
		if named { // without the name, which may be the token
			err = fmt.Errorf("--token-file: %w", errors.Unwrap(err))
		}
		if errors.Is(err, fs.ErrNotExist) {
			err = fmt.Errorf("%w: the running Daybook makes it; name another with --token-file", err)
		}
		if errors.Is(err, fs.ErrPermission) {
			err = fmt.Errorf("%w: run this as the user that Daybook runs as, or name a file of your own with --token-file", err)
		}
		return nil, &exitError{exitToken, err}
	}
	c, err := admin.NewClient(o)
	if err != nil {
		return nil, &usageError{err}
	}
	return c, nil
}

// configured takes what no flag says from the configuration.
func (r *remote) configured(o *admin.ClientOptions) error {
	a, err := config.LoadAdmin(r.app.configPath)
	if err != nil {
		return &usageError{fmt.Errorf("%w\nname the configuration of the running Daybook with -c, or give both --admin and --token-file", err)}
	}
	if r.tokenFile == "" {
		r.tokenFile = a.TokenFile
	}
	if r.url != "" {
		return nil
	}
	if a.Off() {
		return &usageError{fmt.Errorf("%s turns the admin API off (admin.address: none); groups are then those of the file", r.app.configPath)}
	}
	scheme := "http"
	if a.TLS != nil {
		scheme = "https"
		if o.TLS, err = ownCertificate(a.TLS.CertFile); err != nil {
			return &usageError{err}
		}
	}
	o.URL = scheme + "://" + reachable(a.Address)
	return nil
}

// reachable turns an address to listen on into one to connect to.
func reachable(address string) string {
	host, port, _ := net.SplitHostPort(address) // which config has checked
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	return net.JoinHostPort(host, port)
}

// ownCertificate trusts the very certificate of the configuration, by whatever
// address the server is reached.
func ownCertificate(file string) (*tls.Config, error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	own, _ := pem.Decode(content)
	if own == nil {
		return nil, fmt.Errorf("%s holds no PEM certificate", file)
	}
	return &tls.Config{
		InsecureSkipVerify: true, // replaced by a stricter check
		VerifyConnection: func(s tls.ConnectionState) error {
			if !bytes.Equal(s.PeerCertificates[0].Raw, own.Bytes) {
				return fmt.Errorf("the server's certificate is not that in %s", file)
			}
			return nil
		},
	}, nil
}

func certificates(file string) (*x509.CertPool, error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(content) {
		return nil, fmt.Errorf("%s holds no PEM certificate", file)
	}
	return roots, nil
}

// explain adds what to do to an error of the admin API, and its exit code.
func (r *remote) explain(err error) error {
	var (
		answered  *admin.Error
		untrusted *tls.CertificateVerificationError
	)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, admin.ErrUnanswered):
		return &exitError{exitUnreachable, fmt.Errorf("%w; %s", err, r.perhaps())}
	case errors.Is(err, context.Canceled): // Ctrl-C
		return errInterrupted
	case errors.As(err, &untrusted):
		return &exitError{exitUnreachable, fmt.Errorf("%w; name the authority's certificate with --ca-file", err)}
	case errors.Is(err, admin.ErrUnreachable):
		return &exitError{exitUnreachable, fmt.Errorf("%w: is 'daybook serve' running there? admin.address of its configuration says where it listens; -c or --admin name another", err)}
	case errors.Is(err, admin.ErrNotDaybook):
		return &exitError{exitUnreachable, fmt.Errorf("%w; -c or --admin name another address", err)}
	case !errors.As(err, &answered):
		return err
	}
	// It may repeat what clients say about themselves.
	answered.Detail = printable(answered.Detail)
	switch answered.Status {
	case http.StatusUnauthorized, http.StatusTooManyRequests:
		return &exitError{exitToken, fmt.Errorf("%w (the one that was tried is in %s; --token-file names another)", err, r.tokenFile)}
	case http.StatusForbidden:
		if answered.Code == admin.CodeRole {
			return &exitError{exitToken, fmt.Errorf("%w ('daybook token list' shows the tokens and their roles; --token-file names another)", err)}
		}
	case http.StatusNotFound:
		if answered.Code == admin.CodeNoSuchPath {
			return &exitError{exitUnreachable, fmt.Errorf("%w: this is Daybook %s: use the version that runs there", err, release)}
		}
		return &exitError{exitNotFound, err}
	case http.StatusConflict:
		return &exitError{exitConflict, err}
	}
	return err
}

var errInterrupted = errors.New("interrupted")

// perhaps says what may have become of a change that was not answered.
func (r *remote) perhaps() string {
	switch r.noun {
	case "token":
		return "it may be done all the same: 'daybook token list' tells; one that was created and not shown is to be deleted"
	case "task":
		return "the command may be saved all the same, and is then done once, also by a Daybook that was started anew: 'daybook task show' tells"
	}
	return "it may be done all the same: 'daybook group show' tells"
}

// print writes v for programs, or what table writes for people.
func (r *remote) print(v any, table func() error) error {
	if r.output == asTable {
		return table()
	}
	return encode(r.app.stdout, r.output, v)
}
