package task

import (
	"net"
	"slices"
	"strings"
)

// service is a kind of server that is somebody's service. Nobody may SET GLOBAL or edit my.cnf there, so
// the fixes of checks are in its own words.
type service struct {
	name string
	// By any of these it is recognised: the end of the address's host name, a global variable whose name begins so, a
	// part of the version, the beginning of basedir.
	hosts, variables, versions []string
	basedir                    string
	// set says where a setting is changed, binlog how the binlog is switched on, retention how
	// binlogs are kept for seven days, and kept for how long they are unless told; "": as on one's own server.
	set, binlog, retention, kept string
}

// services are those that are known, the narrower ones first. What they say stands in the services' own documents, whose
// titles are behind.
var services = []service{
	{
		name: "Amazon Aurora", variables: []string{"aurora_version"},
		set:       "in the cluster's DB cluster parameter group (one of your own), and reboot the writer",
		binlog:    "set binlog_format to ROW in the cluster's DB cluster parameter group, reboot the writer, and use the cluster's writer endpoint",
		retention: "CALL mysql.rds_set_configuration('binlog retention hours', 168)", // "Configuring Aurora MySQL binary logging"
		kept:      "as short a time as the service likes",
	},
	{
		name: "Amazon RDS", hosts: []string{".rds.amazonaws.com", ".rds.amazonaws.com.cn"}, basedir: "/rdsdbbin/",
		set:       "in the instance's DB parameter group (one of your own)",
		binlog:    "switch on automated backups (a backup retention period above 0), of a read replica too",
		retention: "CALL mysql.rds_set_configuration('binlog retention hours', 168)", // "Configuring MySQL binary logging", "mysql.rds_set_configuration"
		kept:      "as short a time as the service likes",
	},
	{
		name: "PolarDB-X", versions: []string{"TDDL"}, hosts: []string{".polarx.rds.aliyuncs.com"},
		set: "in the console: Parameter Settings",
	},
	{
		name: "PolarDB for MySQL", variables: []string{"polar_"}, hosts: []string{".polardb.rds.aliyuncs.com"},
		set:       "in the console: Settings and Management → Parameters",
		binlog:    "set loose_polar_log_bin to ON (5.6: ON_WITH_GTID) in the console: Parameters, which restarts the cluster, and use the primary or cluster endpoint", // "Enable binary logging"
		retention: "set binlog_expire_logs_seconds (loose_expire_logs_hours) in the console: Parameters",
	},
	{
		name: "Huawei Cloud RDS or TaurusDB", variables: []string{"rds_global_sql_log_bin"}, hosts: []string{".myhuaweicloud.com"},
		set:       "in the console: Parameters",
		binlog:    "set log-bin to ON in the console: Parameters, and reboot (TaurusDB; RDS has it always)",
		retention: "in the console: Backups & Restorations → Binlogs → Set Binlog Clearing Policy (0 deletes each as soon as it is backed up)", // "Setting a Local Retention Period for RDS for MySQL Binlogs"
	},
	{
		name: "ApsaraDB RDS", variables: []string{"rds_"}, hosts: []string{".rds.aliyuncs.com"},
		set:       "in the console: Parameters",
		binlog:    "it is always on there: is the address that of an instance?",
		retention: "in the console: Backup and Restoration → Local Log Retention Policy, with space that suffices", // "Configure the binary log file settings"
		kept:      "3 hours",
	},
	{
		name: "TencentDB", variables: []string{"cdb_"}, hosts: []string{".tencentcdb.com"},
		set:       "in the console: Database Management → Parameter Settings",
		retention: "in the console: Backup and Restoration → Local Binlog Retention (72 to 168 hours)", // "Setting Local Binlog Retention"
	},
	{
		name: "Google Cloud SQL", versions: []string{"-google"},
		set:       "by the instance's database flags",
		binlog:    "switch on point-in-time recovery (gcloud sql instances patch INSTANCE --enable-bin-log)", // "Use point-in-time recovery"
		retention: "gcloud sql instances patch INSTANCE --retained-transaction-log-days=7",
	},
	{
		name: "Azure Database for MySQL", hosts: []string{".mysql.database.azure.com"},
		set:       "by the server parameters (az mysql flexible-server parameter set)", // "Server parameters in Azure Database for MySQL"
		retention: "set the server parameter binlog_expire_logs_seconds to 604800",
	},
	{
		name: "MySQL HeatWave", versions: []string{"-cloud"}, hosts: []string{".oraclevcn.com"},
		set:       "by a configuration of your own for the DB system", // "Managing a Configuration"
		retention: "set binlog_expire_logs_seconds to 604800 in the DB system's configuration",
		kept:      "one hour",
	},
	{
		name: "DigitalOcean Managed MySQL", hosts: []string{".db.ondigitalocean.com"},
		set:       "by the cluster's configuration (doctl databases configuration update)",
		retention: "set binlog_retention_period to its most, 86400, in the cluster's configuration", // "databases/mysql: config"
	},
}

// setsByCall tells that the retention is set by a procedure, and stands in mysql.rds_configuration.
func (s *service) setsByCall() bool { return strings.HasPrefix(s.retention, "CALL ") }

// ownServer is one that is nobody's service.
var ownServer = &service{}

// serviceOf recognises a service.
func serviceOf(address string, vars map[string]string) *service {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		host = address
	}
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	for i := range services {
		s := &services[i]
		if slices.ContainsFunc(s.hosts, func(end string) bool { return strings.HasSuffix(host, end) }) ||
			slices.ContainsFunc(s.versions, func(part string) bool { return strings.Contains(vars["version"], part) }) ||
			s.basedir != "" && strings.HasPrefix(vars["basedir"], s.basedir) {
			return s
		}
		for name := range vars {
			if slices.ContainsFunc(s.variables, func(begin string) bool { return strings.HasPrefix(name, begin) }) {
				return s
			}
		}
	}
	return ownServer
}

// setting says how to give a global variable a value; own: on one's own server.
func (s *service) setting(variable, value, own string) string {
	if s.set == "" {
		return own
	}
	return "set " + variable + " to " + value + " " + s.set + ", and have open sessions reconnect"
}

// advice is what a service has of its own, or else own.
func advice(of, own string) string {
	if of == "" {
		return own
	}
	return of
}
