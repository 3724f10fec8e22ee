import { z } from 'zod'

/** The only reader of the server's environment. */

const Flag = z
  .enum(['true', 'false', '1', '0'], 'must be true or false')
  .transform((text) => text === 'true' || text === '1')

const Port = z
  .string()
  .regex(/^\d{1,5}$/, 'must be a port from 0 to 65535')
  .transform(Number)
  .refine((port) => port <= 65535, 'must be a port from 0 to 65535')

const DatabaseUrl = z
  .string()
  .regex(/^postgres(ql)?:\/\//, 'must begin with postgres:// or postgresql://')

const Origins = z.string().transform((text, context) => {
  const origins = text.split(',').map((origin) => origin.trim())
  for (const origin of origins) {
    if (origin === '*' || (URL.canParse(origin) && new URL(origin).origin === origin)) continue
    context.addIssue(`must be origins such as https://app.example.com, with commas between, or *`)
  }
  return origins
})

const PublicUrl = z
  .string()
  .refine(
    (text) => /^https?:\/\/[^/@?#]+$/.test(text) && URL.canParse(text),
    'must be like https://logs.example.com, without a path',
  )

/** Every TAILRACE_* variable; the README's table lists the same. */
const VARIABLES = {
  TAILRACE_ALLOWED_ORIGINS: Origins.default([]),
  TAILRACE_ALLOW_UNSAFE_DURABILITY: Flag.default(false),
  TAILRACE_AUTO_CREATE_TOPICS: Flag.default(true),
  TAILRACE_DATA_DIR: z.string().min(1).default('.tailrace'),
  TAILRACE_HOST: z.string().min(1).default('127.0.0.1'),
  TAILRACE_LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'silent']).default('info'),
  TAILRACE_PORT: Port.optional(),
  TAILRACE_PUBLIC_URL: PublicUrl.optional(),
  DATABASE_URL: DatabaseUrl.optional(),
  PORT: Port.optional(),
}
const Environment = z.object(VARIABLES)
const DEFAULT_PORT = 7070

export interface Config {
  readonly host: string
  readonly port: number
  /** How senders of logs reach this server; else as each request does. */
  readonly public_url: string | undefined
  readonly data_dir: string
  readonly database_url: string | undefined
  readonly log_level: z.infer<typeof Environment>['TAILRACE_LOG_LEVEL']
  /** Origins of web pages that may call from a browser, beside pages of this server and of this machine. */
  readonly allowed_origins: readonly string[]
  readonly auto_create_topics: boolean
  readonly allow_unsafe_durability: boolean
}

/** The environment is not one to start with; the message names each variable and what is wrong. */
export class ConfigError extends Error {}

export function readConfig(environment: NodeJS.ProcessEnv = process.env): Config {
  // An empty variable is how many tools spell an absent one.
  const set = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''))
  const problems = Object.keys(set)
    .filter((name) => name.startsWith('TAILRACE_') && !(name in VARIABLES))
    .map(unknownVariable)
  const parsed = Environment.safeParse(set)
  for (const issue of parsed.error?.issues ?? [])
    problems.push(`${String(issue.path[0])}: ${issue.message}`)
  if (!parsed.success || problems.length > 0) {
    throw new ConfigError(['The configuration is not valid:', ...problems].join('\n  '))
  }
  const values = parsed.data
  return Object.freeze({
    host: values.TAILRACE_HOST,
    port: values.TAILRACE_PORT ?? values.PORT ?? DEFAULT_PORT,
    public_url: values.TAILRACE_PUBLIC_URL,
    data_dir: values.TAILRACE_DATA_DIR,
    database_url: values.DATABASE_URL,
    log_level: values.TAILRACE_LOG_LEVEL,
    allowed_origins: values.TAILRACE_ALLOWED_ORIGINS,
    auto_create_topics: values.TAILRACE_AUTO_CREATE_TOPICS,
    allow_unsafe_durability: values.TAILRACE_ALLOW_UNSAFE_DURABILITY,
  })
}

function unknownVariable(name: string): string {
  const [closest] = Object.keys(VARIABLES)
    .map((known) => ({ known, distance: editDistance(name.toUpperCase(), known) }))
    .sort((a, b) => a.distance - b.distance)
  const hint = closest && closest.distance <= 4 ? `did you mean ${closest.known}?` : 'remove it'
  return `${name}: is not a variable of Tailrace; ${hint}`
}

/** Levenshtein distance, by rows. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const change = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(change, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[b.length] ?? 0
}
