import { openPostgresProxy, type PostgresProxy } from './postgres-proxy.ts'

const NOTIFICATION = 'A'.charCodeAt(0)
/** A message of Postgres is one byte of type and four of length, which counts itself but not the type. */
const TYPE = 1
const HEAD = 5

/**
 * A way to Postgres on which LISTEN succeeds and nothing is ever heard, as behind a pooler in transaction mode:
 * everything passes but notifications.
 */
export function openDeafProxy(databaseUrl: string): Promise<PostgresProxy> {
  return openPostgresProxy(databaseUrl, withoutNotifications)
}

/** Cuts a stream of messages apart and leaves notifications out. */
function withoutNotifications(): (chunk: Buffer) => Buffer {
  let rest = Buffer.alloc(0)
  return (chunk) => {
    rest = Buffer.concat([rest, chunk])
    const passed: Buffer[] = []
    while (rest.length >= HEAD && rest.length >= TYPE + rest.readUInt32BE(TYPE)) {
      const end = TYPE + rest.readUInt32BE(TYPE)
      if (rest[0] !== NOTIFICATION) passed.push(rest.subarray(0, end))
      rest = rest.subarray(end)
    }
    return Buffer.concat(passed)
  }
}
