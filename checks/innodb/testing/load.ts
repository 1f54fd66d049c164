/** What the test server holds, and what its clients do to it. */

/** Tables of several kinds: fixed and long rows (overflow pages), secondary indexes, compressed pages, and other engines. */
export const SCHEMA = `
create database load_test; use load_test;
create table accounts (id int primary key auto_increment, balance int not null, filler char(200) not null, key (balance)) engine=innodb;
create table documents (id int primary key auto_increment, body mediumtext) engine=innodb;
create table packed (id int primary key auto_increment, filler varchar(400)) engine=innodb row_format=compressed key_block_size=8;
create table journal (id int primary key auto_increment, what varchar(100)) engine=aria;
create table plain (id int primary key auto_increment, what varchar(100)) engine=myisam;
insert into accounts (balance, filler) select seq % 1000, repeat(char(97 + seq % 26), 200) from seq_1_to_20000;
insert into documents (body) select repeat(md5(seq), 50 + seq % 900) from seq_1_to_300;
insert into packed (filler) select concat(md5(seq), repeat('x', 300)) from seq_1_to_5000;
insert into journal (what) select md5(seq) from seq_1_to_2000;
insert into plain (what) select md5(seq) from seq_1_to_2000;
delimiter //
create procedure work() begin
  declare n, account, other, document, pack int default 0;
  declare continue handler for sqlexception begin end;
  loop
    set n = n + 1;
    -- rand() in a condition would be asked once per row
    select 1 + floor(rand() * 20000), 1 + floor(rand() * 20000), 1 + floor(rand() * 300), 1 + floor(rand() * 5000) into account, other, document, pack;
    start transaction;
    update accounts set balance = balance + 1 where id = account;
    update accounts set filler = repeat(char(97 + rand() * 26), 200) where id = other;
    insert into accounts (balance, filler) values (floor(rand() * 1000), 'new');
    if n % 5 = 0 then update documents set body = repeat(md5(rand()), 50 + floor(rand() * 900)) where id = document; end if;
    if n % 3 = 0 then update packed set filler = concat(md5(rand()), repeat('y', 300)) where id = pack; end if;
    if n % 7 = 0 then delete from accounts where id > 20000 order by id limit 5; end if;
    commit;
    if n % 10 = 0 then insert into journal (what) values (md5(rand())); end if;
    if n % 10 = 5 then insert into plain (what) values (md5(rand())); end if;
    if n % 400 = 399 then
      execute immediate concat('create table if not exists extra', connection_id(), ' (id int primary key, v varchar(200)) engine=innodb');
      execute immediate concat('insert into extra', connection_id(), ' select seq, md5(seq) from seq_1_to_500');
      execute immediate concat('drop table extra', connection_id());
    end if;
  end loop;
end //
delimiter ;
`;

export const LOAD_CALL = 'call work()';
