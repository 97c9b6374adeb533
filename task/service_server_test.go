//go:build servers

package task_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"daybook/binlog"
	"daybook/e2e/servers"
	"daybook/task"
)

// hosted is a connection to a server of somebody's service: some rows of its answers, of two values, are others.
type hosted struct {
	net.Conn
	in   *bytes.Buffer
	rows map[string][2]string // by the first value
}

// Write refuses the commands by which replicas read, as proxies do, if there is a row "proxy".
func (h hosted) Write(b []byte) (int, error) {
	if _, proxy := h.rows["proxy"]; proxy && len(b) > 4 && b[3] == 0 && (b[4] == 0x12 || b[4] == 0x15 || b[4] == 0x1e) {
		refusal := h.rows["proxy"][0]
		h.in.Write(append([]byte{byte(len(refusal)), 0, 0, 1}, refusal...))
		return len(b), nil
	}
	return h.Conn.Write(b)
}

func (h hosted) Read(b []byte) (int, error) {
	if h.in.Len() == 0 {
		var head [4]byte
		if _, err := io.ReadFull(h.Conn, head[:]); err != nil {
			return 0, err
		}
		packet := make([]byte, int(head[0])|int(head[1])<<8|int(head[2])<<16)
		if _, err := io.ReadFull(h.Conn, packet); err != nil {
			return 0, err
		}
		if n := 0; len(packet) > 2 && int(packet[0]) < len(packet)-1 {
			n = int(packet[0])
			if row, ok := h.rows[string(packet[1:1+n])]; ok {
				packet = append([]byte{byte(len(row[0]))}, row[0]...)
				packet = append(append(packet, byte(len(row[1]))), row[1]...)
			}
		}
		binary.LittleEndian.PutUint16(head[:], uint16(len(packet)))
		h.in.Write(append(head[:], packet...))
	}
	return h.in.Read(b)
}

// at has a source's answers be those of a service, at an address of it.
func at(s *servers.Server, address string, rows map[string][2]string) binlog.Source {
	return binlog.Source{
		Address: address, User: servers.Repl, Password: servers.Repl, TLS: binlog.TLSOptions{Mode: binlog.TLSDisabled},
		Dial: func(ctx context.Context, _ string) (net.Conn, error) {
			c, err := (&net.Dialer{}).DialContext(ctx, "tcp", s.Address)
			return hosted{c, &bytes.Buffer{}, rows}, err
		},
	}
}

// TestPrecheckSpeaksOfTheService recognises services, and gives the fixes in their words. They are stock servers, the
// variables of which are others.
func TestPrecheckSpeaksOfTheService(t *testing.T) {
	s := servers.Start(t, "mysql-8.0", "--binlog-format=MIXED")
	for _, tt := range []struct {
		service, address  string
		rows              map[string][2]string
		format, retention string
	}{
		{"Amazon Aurora", "db:3306", map[string][2]string{"ft_min_word_len": {"aurora_version", "3.04.0"}}, "DB cluster parameter group", "mysql.rds_set_configuration"},
		{"Amazon RDS", "db:3306", map[string][2]string{"basedir": {"basedir", "/rdsdbbin/mysql-8.0.36.R1/"}}, "DB parameter group", "mysql.rds_set_configuration"},
		{"Amazon RDS", "shop.abc.eu-west-1.rds.amazonaws.com:3306", nil, "DB parameter group", "mysql.rds_set_configuration"},
		{"ApsaraDB RDS", "db:3306", map[string][2]string{"ft_min_word_len": {"rds_audit_log_version", "MYSQL_V1"}}, "console: Parameters", "Local Log Retention Policy"},
		{"ApsaraDB RDS", "rm-1.mysql.rds.aliyuncs.com.:3306", nil, "console: Parameters", "Local Log Retention Policy"},
		{"PolarDB for MySQL", "db:3306", map[string][2]string{"ft_min_word_len": {"polar_log_bin", "ON"}, "ft_max_word_len": {"rds_x", "1"}}, "Parameters", ""},
		{"PolarDB-X", "db:3306", map[string][2]string{"version": {"version", "5.7.25-TDDL-5.4.17"}}, "Parameter", ""},
		{"Huawei Cloud RDS or TaurusDB", "db:3306", map[string][2]string{"ft_min_word_len": {"rds_global_sql_log_bin", "ON"}}, "console: Parameters", ""},
		{"TencentDB", "db:3306", map[string][2]string{"ft_min_word_len": {"cdb_recycle_bin_enabled", "ON"}}, "Parameter Settings", ""},
		{"Google Cloud SQL", "db:3306", map[string][2]string{"version": {"version", "8.0.31-google"}}, "database flags", ""},
		{"Azure Database for MySQL", "shop.mysql.database.azure.com:3306", nil, "server parameters", ""},
		{"MySQL HeatWave", "db:3306", map[string][2]string{"version": {"version", "9.1.0-cloud"}}, "configuration", "configuration"},
		{"DigitalOcean Managed MySQL", "shop-do-user-1-0.b.db.ondigitalocean.com:25060", nil, "doctl", ""},
		{"", "db:3306", nil, "SET GLOBAL binlog_format", ""},
	} {
		t.Run(tt.service+" "+tt.address, func(t *testing.T) {
			o := options(s, servers.Repl, servers.Repl)
			o.Source = at(s, tt.address, tt.rows)
			checks := statusOf(t, o)
			if c := checks["service"]; c.Detail != tt.service {
				t.Errorf("service: %+v", c)
			}
			if c := checks["binlog format"]; c.Status != task.Fail || !strings.Contains(c.Fix, tt.format) || tt.service != "" && strings.Contains(c.Fix, "SET GLOBAL") {
				t.Errorf("binlog format: %+v", c)
			}
			if c := checks["binlog retention"]; tt.retention != "" && (c.Status != task.Warn || !strings.Contains(c.Fix, tt.retention)) || tt.retention == "" && c.Status != task.Passed {
				t.Errorf("binlog retention: %+v", c)
			}
		})
	}
}

// TestPrecheckOfRetention looks at the binlogs that are there, and at what Amazon RDS keeps by itself.
func TestPrecheckOfRetention(t *testing.T) {
	for _, version := range []string{"mysql-5.5", "mysql-8.0", "mysql-9", "mariadb-10.11"} {
		t.Run(version, func(t *testing.T) {
			s := servers.Start(t, version)
			db := s.Connect(t, "")
			want := func(status task.CheckStatus, parts ...string) {
				t.Helper()
				o := options(s, servers.Repl, servers.Repl)
				c := statusOf(t, o)["binlog retention"]
				for _, part := range parts {
					if c.Status != status || !strings.Contains(c.Detail, part) {
						t.Errorf("%+v in place of %s with %q", c, status, part)
					}
				}
			}
			want(task.Passed, "the oldest, ", ".000001, was begun ", " min ago")
			db.Exec("FLUSH LOGS", "FLUSH LOGS")
			files := db.Query("SHOW BINARY LOGS")
			for late := time.Now().Add(20 * time.Second); len(db.Query("SHOW BINARY LOGS")) > 1 && time.Now().Before(late); {
				db.Exec("PURGE BINARY LOGS TO '" + files[len(files)-1][0] + "'") // MariaDB keeps one until its checkpoint
			}
			want(task.Warn, "the oldest, "+files[len(files)-1][0], "those before it are gone")
			db.Exec("CREATE TABLE mysql.rds_configuration (name VARCHAR(100), value VARCHAR(100), description VARCHAR(300))",
				"INSERT INTO mysql.rds_configuration VALUES ('binlog retention hours', NULL, 'x')")
			want(task.Warn, "purges binlogs as soon as it can")
			db.Exec("UPDATE mysql.rds_configuration SET value = '168'")
			want(task.Warn, "kept 168 h", "those before it are gone")
		})
	}
}

// TestPrecheckOfRevokedPrivileges has a global privilege that does not hold everywhere.
func TestPrecheckOfRevokedPrivileges(t *testing.T) {
	for _, version := range []string{"mysql-8.0", "mysql-9"} {
		t.Run(version, func(t *testing.T) {
			s := servers.Start(t, version, "--partial-revokes=ON")
			db := s.Connect(t, "")
			db.Exec("CREATE DATABASE shop", "CREATE DATABASE crm", "CREATE TABLE shop.t (id INT)", "CREATE TABLE crm.t (id INT)", "CREATE TABLE crm.u (id INT)",
				"CREATE USER pre@'%' IDENTIFIED BY 'Check-1pw'", "GRANT SELECT, TRIGGER, REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO pre@'%'",
				"CREATE USER one@'%' IDENTIFIED BY 'Check-1pw'", "GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO one@'%'", "GRANT SELECT ON crm.t TO one@'%'")
			want := func(user, check string, status task.CheckStatus, part string, include ...string) {
				t.Helper()
				o := options(s, user, "Check-1pw")
				o.Include = include
				if c := statusOf(t, o)[check]; c.Status != status || !strings.Contains(c.Detail, part) {
					t.Errorf("%s, %v: %+v in place of %s with %q", user, include, c, status, part)
				}
			}
			db.Exec("CREATE DATABASE `my-db`", "CREATE TABLE `my-db`.t (id INT, n INT)", "CREATE USER `o'brien`@'127.0.0.1' IDENTIFIED BY 'Check-1pw'",
				"GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO `o'brien`@'127.0.0.1'", "GRANT SELECT (id) ON `my-db`.t TO `o'brien`@'127.0.0.1'")
			want("o'brien", "privilege SELECT", task.Fail, "single columns only of my-db.t", "my-db.*")
			o := options(s, "o'brien", "Check-1pw")
			o.Include = []string{"my-db.*", "none.*"}
			for range 2 { // what the fixes say helps
				for _, c := range statusOf(t, o) {
					if fix, _, _ := strings.Cut(c.Fix, " (or"); strings.HasPrefix(fix, "GRANT") {
						fix, _, _ = strings.Cut(fix, ", or")
						db.Exec(fix)
					}
				}
			}
			for name, c := range statusOf(t, o) {
				if strings.Contains(name, "privilege") && c.Status != task.Passed {
					t.Errorf("behind its fix: %+v", c)
				}
			}
			want("pre", "privilege SELECT", task.Passed, "", "*.*")
			want("pre", "privilege TRIGGER", task.Passed, "", "*.*")
			db.Exec("REVOKE SELECT, TRIGGER ON shop.* FROM pre@'%'")
			want("pre", "privilege SELECT", task.Fail, "revoked on shop", "*.*")
			want("pre", "privilege SELECT", task.Fail, "revoked on shop", "shop.t")
			want("pre", "privilege SELECT", task.Passed, "", "crm.*")
			want("pre", "privilege TRIGGER", task.Warn, "", "crm.*")
			db.Exec("GRANT SELECT ON shop.t TO pre@'%'")
			want("pre", "privilege SELECT", task.Passed, "", "shop.t")
			want("pre", "privilege SELECT", task.Fail, "revoked on shop", "shop.*")
			want("one", "privilege SELECT", task.Passed, "", "crm.t")
			want("one", "privilege SELECT", task.Warn, "crm.*", "crm.*")
			want("one", "privilege SELECT", task.Fail, "crm.u", "crm.t", "crm.u")
		})
	}
}

// TestPrecheckOfAProxy has the address lead to one that passes statements on and no replication.
func TestPrecheckOfAProxy(t *testing.T) {
	servers.Each(t, func(t *testing.T, s *servers.Server) {
		o := options(s, servers.Repl, servers.Repl)
		o.Source = at(s, "db:3306", map[string][2]string{"proxy": {"\xff\xd3\x04#42000not supported by this proxy"}})
		if c := statusOf(t, o)["replication"]; c.Status != task.Fail || !strings.Contains(c.Detail, "not supported by this proxy") || !strings.Contains(c.Fix, "not of a proxy") {
			t.Errorf("%+v", c)
		}
		o.Source = at(s, "db:3306", map[string][2]string{"proxy": {"\xff\x17\x04#08S01Unknown command"}})
		if c := statusOf(t, o)["replication"]; c.Status != task.Fail || !strings.Contains(c.Detail, "it is a proxy") {
			t.Errorf("%+v", c)
		}
		r := binlog.New(binlog.Options{Source: o.Source, Include: o.Include, ServerID: 7})
		if err := r.Open(t.Context()); !errors.Is(err, binlog.ErrProxy) {
			t.Errorf("error %v", err)
		}
		_ = r.Close()
	})
}
