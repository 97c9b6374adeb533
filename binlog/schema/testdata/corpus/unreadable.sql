-- server: mysql 80031 utf8mb4
CREATE TABLE known (a INT);
CREATE TABLE new_type (a INT, b XMLTYPE);
ALTER TABLE known ADD b XMLTYPE;
ALTER TABLE known ADD c INT;
RENAME TABLE known TO still_unknown;
CREATE TABLE from_query AS SELECT 1;
CREATE TABLE from_query2 (a INT) SELECT 2 AS b;
ALTER TABLE absent ADD a INT;
CREATE TABLE copied LIKE absent;
ALTER TABLE still_unknown ADD;
CREATE TABLE broken (a INT;
CREATE TABLE still_unknown (a INT);
DROP TABLE new_type;
