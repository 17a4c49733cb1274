DELETE FROM live
WHERE (item_id, person_id) IN (SELECT (item_id, person_id) FROM annotations WHERE seq > $annotations);

INSERT INTO live
FROM annotations
WHERE seq IN (
    SELECT arg_max(seq, revision)
    FROM annotations
    WHERE (item_id, person_id) IN (
        SELECT (item_id, person_id) FROM annotations WHERE seq > $annotations
    )
    GROUP BY item_id, person_id
);
