import type { Account } from './account.ts'

/** What the log lines go to; pino fits. */
export interface Log {
  info: (details: object, message: string) => void
  warn: (details: object, message: string) => void
  error: (details: object, message: string) => void
}

/** Everything that is settled once per start and holds for each postmaster of it. */
export interface Installation {
  /** The folder that holds the rest, real path; see data-directory.ts. */
  home: string
  /** PGDATA. */
  cluster: string
  socket_dir: string
  bin_dir: string
  account: Account
  settings: Record<string, string>
  log: Log
}

/** English messages, as some are searched for words; and no PG* of the caller gets through. */
export const POSTGRES_ENVIRONMENT = { PATH: '/usr/local/bin:/usr/bin:/bin', LC_ALL: 'C' }
