-- server: mysql 50740 latin1
CREATE SCHEMA IF NOT EXISTS `shop` DEFAULT CHARACTER SET utf8mb4;
CREATE TABLE `shop`.`flyway_schema_history` (
    `installed_rank` INT NOT NULL,
    `version` VARCHAR(50),
    `description` VARCHAR(200) NOT NULL,
    `type` VARCHAR(20) NOT NULL,
    `script` VARCHAR(1000) NOT NULL,
    `checksum` INT,
    `installed_by` VARCHAR(100) NOT NULL,
    `installed_on` TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    `execution_time` INT NOT NULL,
    `success` BOOL NOT NULL,
    CONSTRAINT `flyway_schema_history_pk` PRIMARY KEY (`installed_rank`)
) ENGINE=InnoDB;
CREATE INDEX `flyway_schema_history_s_idx` ON `shop`.`flyway_schema_history` (`success`);
-- V2__people.sql
CREATE TABLE IF NOT EXISTS person (
  person_id INT(11) NOT NULL AUTO_INCREMENT COMMENT 'it''s the key', # a remark
  given VARCHAR(64) NOT NULL, -- another, with a comma
  born DATE DEFAULT '1970-01-01',
  PRIMARY KEY (person_id) USING BTREE,
  UNIQUE INDEX given_UNIQUE (given ASC))
ENGINE = InnoDB
DEFAULT CHARACTER SET = utf8
COLLATE = utf8_bin;
ALTER DATABASE shop COLLATE latin1_german1_ci;
CREATE TABLE later (a char(3));
