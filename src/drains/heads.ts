import { quote } from './json-text.ts'

/** Who writes a line, as far as it decides which shapes it may have. */
export type Origin = 'api' | 'app' | 'dyno' | 'logplex' | 'postgres' | 'redis' | 'router'

/** The four words between a line's time and its text, and what is made of them: once a body, not once a line. */
export interface Head {
  host: string
  app: string
  process: string
  msgid: string
  origin: Origin
  /** Do these words stand in the canonical form as they were sent? */
  is_canonical: boolean
  /** JSON text of the record's key. */
  key: string
  /** JSON text of members: `"app":…,"process":…`, and `,"host":…,"msgid":…` or nothing. */
  names: string
  others: string
  /** What the drain's owner is shown: `app/web.1`. */
  source: string
}

/** The heads of one body. A body has a dozen of them; what makes up new ones for each line is not remembered. */
export class Heads {
  readonly #source: string | undefined
  readonly #known = new Map<string, Head>()

  constructor(source: string | undefined) {
    this.#source = source
  }

  /** `words` are host, app, process and message id, each without spaces, with one space between. */
  of(words: string): Head {
    const known = this.#known.get(words)
    if (known) return known
    const head = makeHead(words, this.#source)
    if (this.#known.size < 1_000) this.#known.set(words, head)
    return head
  }
}

/** The key of a line's record: all lines of one process, and so of one dyno, are in one partition. */
export function keyOf(source: string, process: string): string {
  if (process !== '') return quote(`${source}/${process}`)
  return source === '' ? 'null' : quote(source)
}

/** Syslog drains have it as host; in 2012 it was the process. */
const DRAIN_TOKEN = /^d\.[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

function makeHead(words: string, source: string | undefined): Head {
  const { host, app, process, msgid, is_of_2012 } = readWords(words)
  return {
    ...{ host, app, process, msgid },
    origin: originOf(app, process),
    is_canonical: !is_of_2012 && msgid === '-',
    key: keyOf(source ?? app, process),
    names: `"app":${quote(app)},"process":${quote(process)}`,
    others:
      (host === 'host' ? '' : `,"host":${quote(host)}`) +
      (msgid === '-' ? '' : `,"msgid":${quote(msgid)}`),
    source: process === '' ? app : `${app}/${process}`,
  }
}

function readWords(words: string) {
  const [first = '', second = '', third = '', msgid = '-'] = words.split(' ')
  // In 2012: `heroku web.3 d.token`, which is app, process and the token.
  const is_of_2012 = DRAIN_TOKEN.test(third)
  const [host, app, process] = is_of_2012 ? [third, first, second] : [first, second, third]
  return { host, app: orNil(app), process: orNil(process), msgid, is_of_2012 }
}

const orNil = (word: string) => (word === '-' ? '' : word)

const BY_PROCESS: readonly (readonly [RegExp, Origin])[] = [
  [/^(?:logplex|log-shuttle)$/, 'logplex'],
  [/^(?:heroku-)?postgres(?:ql)?(?:$|[.-])/, 'postgres'],
  [/^(?:heroku-)?redis(?:$|[.-])/, 'redis'],
]

function originOf(app: string, process: string): Origin {
  for (const [names, origin] of BY_PROCESS) if (names.test(process)) return origin
  if (app === 'heroku-router') return 'router'
  if (app === 'heroku-api') return 'api'
  if (process === 'api' && (app === 'app' || app === 'heroku')) return 'api'
  if (app !== 'heroku' && app !== 'heroku-runtime') return 'app'
  return process === 'router' ? 'router' : 'dyno'
}
