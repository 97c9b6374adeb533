-- server: mysql 80031 utf8mb4
CREATE TABLE `schema_migrations` (`version` varchar(255) NOT NULL PRIMARY KEY);
CREATE TABLE `ar_internal_metadata` (`key` varchar(255) NOT NULL PRIMARY KEY, `value` varchar(255), `created_at` datetime(6) NOT NULL, `updated_at` datetime(6) NOT NULL);
CREATE TABLE `articles` (`id` bigint NOT NULL AUTO_INCREMENT PRIMARY KEY, `title` varchar(255) DEFAULT 'untitled' NOT NULL, `body` text, `published` tinyint(1) DEFAULT 0, `price` decimal(8,2) DEFAULT 0.0, `author_id` bigint NOT NULL, `settings` json, `created_at` datetime(6) NOT NULL, INDEX `index_articles_on_author_id` (`author_id`), CONSTRAINT `fk_rails_3d31dad1cc` FOREIGN KEY (`author_id`) REFERENCES `users` (`id`) ON DELETE SET NULL);
CREATE UNIQUE INDEX `index_articles_on_title` ON `articles` (`title`);
ALTER TABLE `articles` ADD `slug` varchar(255) DEFAULT NULL COMMENT 'for URLs', ADD UNIQUE INDEX `index_articles_on_slug` (`slug`(20));
ALTER TABLE `articles` CHANGE `body` `content` mediumtext DEFAULT NULL;
ALTER TABLE `articles` RENAME COLUMN `title` TO `headline`;
ALTER TABLE `articles` RENAME INDEX `index_articles_on_title` TO `index_articles_on_headline`;
ALTER TABLE `articles` ALTER COLUMN `published` SET DEFAULT TRUE;
ALTER TABLE `articles` DROP FOREIGN KEY `fk_rails_3d31dad1cc`;
DROP INDEX `index_articles_on_slug` ON `articles`;
ALTER TABLE `articles` DROP COLUMN `settings`;
RENAME TABLE `articles` TO `posts`;
