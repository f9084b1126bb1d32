-- What clients and sites were told, against a store at rest; run in the folder of a test. Each line
-- printed is a broken promise. Kind 4 of an event and state 4 of a ticket: completed.
.mode list
.separator |
CREATE TEMP TABLE acknowledged(key TEXT, ticket TEXT);
CREATE TEMP TABLE completed(ticket TEXT);
.import acknowledged.txt acknowledged
.import completed.txt completed
.separator ' '
SELECT 'the file is damaged:', integrity_check FROM pragma_integrity_check
 WHERE integrity_check <> 'ok';
CREATE TEMP TABLE there AS SELECT hex(t.id) AS ticket, t.state, hex(p.idem_key) AS key
  FROM vt_ticket AS t LEFT JOIN vt_payload AS p ON p.serial = t.serial;
CREATE INDEX temp.there_ticket ON there(ticket);
CREATE TEMP TABLE ends AS SELECT hex(ticket) AS ticket, count(*) AS times FROM vt_event
 WHERE kind = 4 GROUP BY 1;
CREATE INDEX temp.ends_ticket ON ends(ticket);
SELECT 'acknowledged and lost:', a.ticket, a.key FROM acknowledged AS a
  LEFT JOIN there AS t ON t.ticket = a.ticket WHERE t.key IS NOT a.key LIMIT 5;
SELECT 'one key, two tickets told:', key FROM acknowledged GROUP BY key
 HAVING count(DISTINCT ticket) > 1 LIMIT 5;
SELECT 'told completed and not so:', c.ticket, t.state FROM completed AS c
  LEFT JOIN there AS t ON t.ticket = c.ticket WHERE t.state IS NOT 4 LIMIT 5;
SELECT 'told completed twice:', ticket FROM completed GROUP BY ticket HAVING count(*) > 1 LIMIT 5;
SELECT 'completed', times, 'times:', ticket FROM ends WHERE times > 1 LIMIT 5;
