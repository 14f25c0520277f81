-- Partitions of the tables that only grow. A partition covers the days from its name's date to the day before the next one:
-- transitions_p20261101 holds November 2026. The default partition takes what no other covers, so that no row is ever refused.

-- Makes the partition of `parent` for [first, next), unless it is there. Rows of these days that the default partition took are
-- moved into it. Returns whether it was made.
create function make_partition(parent text, key_column text, first date, next date) returns boolean
language plpgsql as $$
declare
    part text := parent || '_p' || to_char(first, 'YYYYMMDD');
begin
    if to_regclass(part) is not null then
        return false;
    end if;
    execute format('create table %I (like %I including defaults including constraints)', part, parent);
    execute format(
        'with moved as (delete from %1$I where %2$I >= %3$L and %2$I < %4$L returning *) insert into %5$I overriding system value select * from moved',
        parent || '_default', key_column, first, next, part);
    execute format('alter table %I attach partition %I for values from (%L) to (%L)', parent, part, first, next);
    return true;
end
$$;

-- Drops the partitions of `parent` that end before `oldest`, and what the default partition holds from before. A partition with a
-- row for which `keep` holds stays, and so do such rows. Returns how many partitions were dropped.
create function drop_partitions(parent text, key_column text, oldest date, keep text) returns integer
language plpgsql as $$
declare
    part record;
    kept boolean;
    dropped integer := 0;
begin
    for part in
        select c.relname,
               -- for values from ('2026-11-01 ...') to ('2026-12-01 ...')
               (regexp_match(pg_get_expr(c.relpartbound, c.oid), 'TO \(''([^'']+)''\)'))[1]::timestamptz as ends
        from pg_inherits i join pg_class c on c.oid = i.inhrelid
        where i.inhparent = to_regclass(parent) and pg_get_expr(c.relpartbound, c.oid) <> 'DEFAULT'
        order by c.relname
    loop
        continue when part.ends > oldest;
        execute format('select exists (select from %I where %s)', part.relname, keep) into kept;
        continue when kept;
        execute format('drop table %I', part.relname);
        dropped := dropped + 1;
    end loop;
    execute format('delete from %I where %I < %L and not coalesce((%s), false)', parent || '_default', key_column, oldest, keep);
    return dropped;
end
$$;
