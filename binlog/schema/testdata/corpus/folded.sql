-- server: mysql 80031 utf8mb4
-- lower_case_table_names: 1
CREATE DATABASE Mixed CHARACTER SET latin1;
CREATE TABLE MIXED.Tab (Id INT PRIMARY KEY, Txt CHAR(3));
ALTER TABLE mixed.TAB RENAME COLUMN ID TO `New`;
RENAME TABLE Mixed.tab TO Mixed.TAB2;
