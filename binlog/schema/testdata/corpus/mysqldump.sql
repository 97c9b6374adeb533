-- server: mysql 80031 utf8mb4
/*!40101 SET @saved_cs_client = @@character_set_client */;
/*!50503 SET character_set_client = utf8mb4 */;
DROP TABLE IF EXISTS `t`;
CREATE TABLE `t` (
  `id` int NOT NULL AUTO_INCREMENT,
  `kind` enum('it''s','a,b','c)','\\','') CHARACTER SET latin1 COLLATE latin1_swedish_ci NOT NULL DEFAULT 'a,b',
  `tags` set('x','y') DEFAULT 'x,y',
  `total` decimal(10,2) GENERATED ALWAYS AS ((`id` * 1.5)) VIRTUAL,
  `hidden` int DEFAULT '5' /*!80023 INVISIBLE */,
  `geo` geometry NOT NULL /*!80003 SRID 4326 */,
  `old` int /*!99999 NOT NULL DEFAULT '9' */,
  `key` varbinary(16) DEFAULT (uuid_to_bin(uuid())),
  PRIMARY KEY (`id`),
  UNIQUE KEY `k` (`kind`,`total`),
  UNIQUE KEY `expr` (((`id` + 1))),
  FULLTEXT KEY `ft` (`kind`) /*!50100 WITH PARSER `ngram` */ ,
  CONSTRAINT `positive` CHECK ((`id` > 0)) /*!80016 NOT ENFORCED */
) ENGINE=InnoDB AUTO_INCREMENT=3 DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci COMMENT='the ''t'' table'
/*!50100 PARTITION BY RANGE (`id`)
(PARTITION p0 VALUES LESS THAN (10) COMMENT = 'low' ENGINE = InnoDB,
 PARTITION p1 VALUES LESS THAN MAXVALUE ENGINE = InnoDB) */;
/*!40000 ALTER TABLE `t` DISABLE KEYS */;
/*!50001 CREATE VIEW `v` AS SELECT 1 AS `id` */;
/*!50001 DROP VIEW IF EXISTS `v`*/;
/*!50003 CREATE*/ /*!50017 DEFINER=`root`@`localhost`*/ /*!50003 TRIGGER tr BEFORE INSERT ON t FOR EACH ROW SET NEW.id = 1 */;
/*!80000 ALTER TABLE t ADD COLUMN (n int, m int) */;
CREATE DATABASE /*!32312 IF NOT EXISTS*/ `other` /*!40100 DEFAULT CHARACTER SET latin1 */ /*!80016 DEFAULT ENCRYPTION='N' */;
