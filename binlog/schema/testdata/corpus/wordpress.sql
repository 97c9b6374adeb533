-- server: mysql 50740 latin1
CREATE TABLE wp_users (
	ID bigint(20) unsigned NOT NULL auto_increment,
	user_login varchar(60) NOT NULL default '',
	user_registered datetime NOT NULL default '0000-00-00 00:00:00',
	user_status int(11) NOT NULL default '0',
	PRIMARY KEY  (ID),
	KEY user_login_key (user_login),
	KEY user_email (user_status)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_520_ci;
CREATE TABLE wp_usermeta (
	umeta_id bigint(20) unsigned NOT NULL auto_increment,
	user_id bigint(20) unsigned NOT NULL default '0',
	meta_key varchar(255) default NULL,
	meta_value longtext,
	PRIMARY KEY  (umeta_id),
	KEY user_id (user_id),
	KEY meta_key (meta_key(191))
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_520_ci;
ALTER TABLE wp_users ADD COLUMN spam tinyint(2) NOT NULL default '0', ADD COLUMN deleted tinyint(2) NOT NULL default '0';
ALTER TABLE `wp_usermeta` CONVERT TO CHARACTER SET utf8 COLLATE utf8_unicode_ci;
ALTER TABLE wp_usermeta CHANGE COLUMN meta_key meta_key varchar(100) CHARACTER SET latin1 COLLATE latin1_bin DEFAULT 'x';
