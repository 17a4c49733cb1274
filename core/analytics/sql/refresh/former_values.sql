-- A newer document replaces all that was said of an item before.
DELETE FROM item_values WHERE item_id IN (SELECT item_id FROM placed);
