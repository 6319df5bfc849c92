/**
 * SQL for the mark of the publication that the expression `name` names: another text after each change of what it publishes of
 * `users`, though it was undone since; null where a change would pass unpublished. What tells of a TRUNCATE is the table's trigger
 * with its function.
 */
export function markOf(name: string): string {
  return `
    (SELECT concat_ws('/', publication.oid, publication.xmin, member.oid, guard.oid, guard.xmin, body.xmin)
     FROM pg_publication AS publication
     JOIN pg_trigger AS guard ON tgrelid = to_regclass('users') AND tgname = 'users_before_truncate' AND tgenabled = 'A'
     JOIN pg_proc AS body ON body.oid = tgfoid
     LEFT JOIN pg_publication_rel AS member ON prpubid = publication.oid AND prrelid = tgrelid
     WHERE pubname = ${name} AND pubinsert AND pubupdate AND pubdelete AND NOT pubtruncate
       AND (puballtables OR member.oid IS NOT NULL) AND prqual IS NULL AND prattrs IS NULL)`;
}
