import type pg from 'pg';

/** The smallest ordinary transaction id: before those of every cluster. */
const FIRST_TX = '3';

/**
 * Event positions are transaction ids, which belong to one PostgreSQL cluster. After a dump was restored into another
 * one, the stored ids mean nothing there: stored events then get the smallest id, in their old order, and come before
 * everything that is written from now on.
 * @returns whether events were moved
 */
export async function adoptEventCluster(client: Pick<pg.Client, 'query'>): Promise<boolean> {
  const { rows } = await client.query<{ current: string; known: string | null; impossible: boolean }>(
    `select (select system_identifier::text from pg_control_system()) as current, (select id from event_cluster limit 1) as known,
       exists (select 1 from event where tx >= pg_snapshot_xmax(pg_current_snapshot())) as impossible`,
  );
  const [row] = rows;
  if (row === undefined || (row.known === row.current && !row.impossible)) return false;
  const isForeign = row.impossible || row.known !== null;
  await client.query('begin');
  try {
    // one process at a time; writers wait, readers do not
    await client.query('lock table event in share row exclusive mode');
    if (isForeign) await client.query('update event set tx = $1::text::xid8', [FIRST_TX]);
    await client.query('delete from event_cluster');
    await client.query('insert into event_cluster (id) values ($1)', [row.current]);
    await client.query('commit');
  } catch (err) {
    await client.query('rollback');
    throw err;
  }
  return isForeign;
}

/** A value that changes when the stored positions do: every adoption rewrites the row of `event_cluster`. */
export async function readEventEpoch(client: Pick<pg.Client, 'query'>): Promise<string | null> {
  const { rows } = await client.query<{ epoch: string }>(
    `select id || ':' || xmin::text as epoch from event_cluster limit 1`,
  );
  return rows[0]?.epoch ?? null;
}
