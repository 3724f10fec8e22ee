import { readConfig } from '../../src/config.ts'
import { createLogger } from '../../src/logger.ts'
import { startServer } from '../../src/server.ts'
import { createTestDatabase, type TestDatabase } from './postgres.ts'

/** A server on an ephemeral port over a database of its own. */
export interface TestServer {
  url: string
  database: TestDatabase
  /** Stops the server and drops the database. */
  stop: () => Promise<void>
}

/** Starts a whole server in this process. `environment` as an operator would set it. */
export async function startTestServer(
  environment: Record<string, string> = {},
): Promise<TestServer> {
  const database = await createTestDatabase()
  const config = readConfig({
    TAILRACE_PORT: '0',
    TAILRACE_LOG_LEVEL: 'silent',
    DATABASE_URL: database.url,
    ...environment,
  })
  const server = await startServer(config, createLogger(config.log_level))
  return {
    url: server.url,
    database,
    stop: async () => {
      await server.stop()
      await database.drop()
    },
  }
}
