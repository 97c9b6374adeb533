-- server: mysql 80031 utf8mb4
CREATE TABLE `django_content_type` (`id` integer AUTO_INCREMENT NOT NULL PRIMARY KEY, `name` varchar(100) NOT NULL, `app_label` varchar(100) NOT NULL, `model` varchar(100) NOT NULL);
ALTER TABLE `django_content_type` ADD CONSTRAINT `django_content_type_app_label_model_76bd3d3b_uniq` UNIQUE (`app_label`, `model`);
ALTER TABLE `django_content_type` MODIFY `name` varchar(100) NULL;
ALTER TABLE `django_content_type` DROP COLUMN `name`;
CREATE TABLE `auth_user` (`id` bigint AUTO_INCREMENT NOT NULL PRIMARY KEY, `password` varchar(128) NOT NULL, `last_login` datetime(6) NULL, `is_superuser` bool NOT NULL, `username` varchar(150) NOT NULL UNIQUE, `score` double precision NOT NULL, `flags` integer UNSIGNED NOT NULL CHECK (`flags` >= 0), `uid` char(32) NOT NULL, `data` longblob NOT NULL, `ip` char(39) NULL);
ALTER TABLE `auth_user` ADD COLUMN `content_type_id` integer NOT NULL , ADD CONSTRAINT `auth_user_ct_fk` FOREIGN KEY (`content_type_id`) REFERENCES `django_content_type`(`id`);
ALTER TABLE `auth_user` ADD COLUMN `bio` longtext DEFAULT ('') NOT NULL;
ALTER TABLE `auth_user` ALTER COLUMN `bio` DROP DEFAULT;
ALTER TABLE `auth_user` ADD CONSTRAINT `score_gte_0` CHECK (`score` >= 0);
ALTER TABLE `auth_user` DROP CHECK `score_gte_0`;
ALTER TABLE `auth_user` ADD COLUMN `first` varchar(30) DEFAULT 'a,b)' NOT NULL FIRST;
