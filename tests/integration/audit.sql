-- What must hold in a store at rest, computed from its tables alone; run in the folder of a test
-- whose keys.txt lists every key that was acknowledged. Each line printed is a violation.
-- States: 1 queued 2 scheduled 3 assigned 4 done 5 parked 6 cancelled 7 dead.
-- Kinds of events: 1 submitted 2 due 3 assigned 4 completed 5 requeued 6 parked 7 message
-- 8 cancelled 9 dead 10 note.
.mode list
.separator ' '
CREATE TEMP TABLE expected(key TEXT);
.import keys.txt expected
SELECT 'the file is damaged:', integrity_check FROM pragma_integrity_check
 WHERE integrity_check <> 'ok';

CREATE TEMP TABLE taken AS SELECT CAST(idem_key AS TEXT) AS key, count(*) AS tickets FROM vt_payload
 GROUP BY 1;
CREATE INDEX temp.taken_key ON taken(key);
SELECT 'acknowledged, but there', coalesce(t.tickets, 0), 'times:', e.key
  FROM expected AS e LEFT JOIN taken AS t ON t.key = e.key
 WHERE t.tickets IS NOT 1 LIMIT 10;
SELECT 'two tickets for one key:', CAST(idem_key AS TEXT), count(*) FROM vt_payload
 GROUP BY client, idem_key HAVING count(*) > 1 LIMIT 10;
CREATE TEMP TABLE rows AS SELECT id, serial FROM vt_ticket;
CREATE INDEX temp.rows_serial ON rows(serial);
SELECT 'payload without a ticket:', hex(p.ticket) FROM vt_payload AS p
 WHERE NOT EXISTS (SELECT 1 FROM rows AS t WHERE t.id = p.ticket AND t.serial = p.serial) LIMIT 10;
SELECT 'ticket without a payload:', hex(t.id) FROM vt_ticket AS t
 WHERE NOT EXISTS (SELECT 1 FROM vt_payload AS p WHERE p.serial = t.serial) LIMIT 10;

-- One path a ticket, in the order it was written.
CREATE TEMP TABLE path AS
SELECT ticket, kind, attempt, agent, epoch, at_us, stream, seq,
       row_number() OVER chain AS place,
       lag(kind) OVER chain AS kind_before,
       lag(epoch, 1, 0) OVER chain AS epoch_before,
       lag(at_us, 1, 0) OVER chain AS at_before,
       lag(seq, 1, 0) OVER chain AS seq_before,
       sum(kind = 3) OVER (PARTITION BY ticket ORDER BY seq) AS assigned_before,
       (SELECT previous FROM vt_event WHERE key = stream << 40 | seq) AS previous
  FROM vt_history WINDOW chain AS (PARTITION BY ticket ORDER BY seq);
CREATE INDEX temp.path_ticket ON path(ticket);

SELECT 'events without a ticket:', hex(ticket) FROM path
 WHERE ticket NOT IN (SELECT id FROM vt_ticket) LIMIT 10;
SELECT 'a path that does not begin with its submit:', hex(ticket), kind FROM path
 WHERE (place = 1) <> (kind = 1) LIMIT 10;
SELECT 'broken chain of events:', hex(ticket), seq, previous, seq_before FROM path
 WHERE previous <> seq_before LIMIT 10;
SELECT 'the row does not name its last event:', hex(t.id), t.event_seq, max(p.seq)
  FROM vt_ticket AS t JOIN path AS p ON p.ticket = t.id GROUP BY t.id
 HAVING t.event_seq <> max(p.seq) LIMIT 10;
SELECT 'attempts with a gap:', hex(ticket), attempt, assigned_before FROM path
 WHERE kind = 3 AND attempt <> assigned_before LIMIT 10;
SELECT 'an event of an attempt that is not the newest:', hex(ticket), kind, attempt FROM path
 WHERE kind <> 10 AND attempt <> assigned_before LIMIT 10;
SELECT 'row and events differ on the attempt:', hex(t.id), t.attempt, max(p.attempt)
  FROM vt_ticket AS t JOIN path AS p ON p.ticket = t.id GROUP BY t.id
 HAVING t.attempt <> max(p.attempt) LIMIT 10;
SELECT 'assigned while not queued:', hex(ticket), kind_before FROM path
 WHERE kind = 3 AND kind_before NOT IN (1, 2, 5, 7) LIMIT 10;
SELECT 'assigned by nobody or to nobody:', hex(ticket), agent, epoch FROM path
 WHERE kind = 3 AND (agent = 0 OR epoch = 0) LIMIT 10;
SELECT 'an event after the end:', hex(ticket), kind, kind_before FROM path
 WHERE kind_before IN (4, 8, 9) AND kind NOT IN (7, 10) LIMIT 10;
SELECT 'epochs that fall:', hex(ticket), epoch_before, epoch FROM path
 WHERE epoch <> 0 AND epoch < epoch_before LIMIT 10;
SELECT 'time that falls:', hex(ticket), at_before, at_us FROM path WHERE at_us < at_before LIMIT 10;

SELECT 'completed', sum(p.kind = 4), 'times:', hex(t.id), 'state', t.state
  FROM vt_ticket AS t JOIN path AS p ON p.ticket = t.id GROUP BY t.id
 HAVING sum(p.kind = 4) <> (t.state = 4) LIMIT 10;
SELECT 'a completed ticket has', count(o.key), 'answers:', hex(t.id)
  FROM vt_ticket AS t LEFT JOIN vt_outbox AS o
       ON o.key BETWEEN t.serial << 20 AND (t.serial << 20) + 1048575
 WHERE t.state = 4 GROUP BY t.id HAVING count(o.key) <> 1 LIMIT 10;
SELECT 'a ticket that is not done has an answer:', hex(t.id), t.state
  FROM vt_ticket AS t JOIN vt_outbox AS o
       ON o.key BETWEEN t.serial << 20 AND (t.serial << 20) + 1048575
 WHERE t.state <> 4 LIMIT 10;
SELECT 'fails differ from losses:', hex(t.id), t.fails, sum(p.kind = 5)
  FROM vt_ticket AS t JOIN path AS p ON p.ticket = t.id GROUP BY t.id
 HAVING t.fails > sum(p.kind = 5) LIMIT 10;

SELECT 'a stream with gaps:', stream, count(*), min(seq), max(seq) FROM vt_history
 GROUP BY stream HAVING min(seq) <> 1 OR max(seq) <> count(*) LIMIT 10;
SELECT 'a ticket in a partition that is not there:', hex(id), part FROM vt_ticket
 WHERE part NOT IN (SELECT part FROM vt_partition) LIMIT 10;
