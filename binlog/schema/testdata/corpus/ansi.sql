-- server: mysql 50740 latin1
-- sql_mode: 1048580
CREATE TABLE "t" ("id" INT NOT NULL, "na""me" VARCHAR(10) DEFAULT 'a\', c ENUM('\','x') DEFAULT 'x', PRIMARY KEY ("id"));
ALTER TABLE "t" ADD COLUMN "after" CHAR(1) AFTER "id";
