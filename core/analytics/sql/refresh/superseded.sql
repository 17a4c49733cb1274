-- Mark annotations that the same person took back or replaced: only a later revision does.
UPDATE annotations SET superseded = true
WHERE seq IN (
    SELECT seq
    FROM annotations
    WHERE NOT superseded AND (item_id, person_id) IN (
        SELECT (item_id, person_id) FROM annotations WHERE seq > $annotations AND revision > 1
    )
    QUALIFY revision < max(revision) OVER (PARTITION BY item_id, person_id)
);
