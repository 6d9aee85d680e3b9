-- What a model is sent begins at the newest summary: with these, a long chat costs what it says since, not all it ever said.

CREATE INDEX chat_messages_summary_idx ON chat_messages (chat_id, id)
    WHERE compressed AND visibility = 'model' AND NOT deleted;
CREATE INDEX chat_messages_system_idx ON chat_messages (chat_id, id)
    WHERE role = 'system' AND NOT compressed AND NOT deleted;
