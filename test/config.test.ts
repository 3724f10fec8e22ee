import { describe, expect, it } from 'vitest'
import { ConfigError, readConfig } from '../src/config.ts'

function problem(environment: Record<string, string>): string {
  try {
    readConfig(environment)
  } catch (error) {
    if (error instanceof ConfigError) return error.message
    throw error
  }
  throw new Error('accepted')
}

describe('readConfig', () => {
  it('has a default for everything', () => {
    expect(readConfig({})).toEqual({
      host: '127.0.0.1',
      port: 7070,
      data_dir: '.tailrace',
      database_url: undefined,
      log_level: 'info',
      allowed_origins: [],
      auto_create_topics: true,
      allow_unsafe_durability: false,
    })
  })

  it('reads every variable', () => {
    const config = readConfig({
      TAILRACE_HOST: '::',
      TAILRACE_PORT: '0',
      TAILRACE_DATA_DIR: '/var/lib/log',
      TAILRACE_LOG_LEVEL: 'silent',
      TAILRACE_ALLOWED_ORIGINS: 'https://app.example.com, http://localhost:3000',
      TAILRACE_AUTO_CREATE_TOPICS: 'false',
      TAILRACE_ALLOW_UNSAFE_DURABILITY: '1',
      DATABASE_URL: 'postgresql://u:p@db/x?sslmode=require',
    })
    expect(config).toEqual({
      host: '::',
      port: 0,
      data_dir: '/var/lib/log',
      database_url: 'postgresql://u:p@db/x?sslmode=require',
      log_level: 'silent',
      allowed_origins: ['https://app.example.com', 'http://localhost:3000'],
      auto_create_topics: false,
      allow_unsafe_durability: true,
    })
    expect(Object.isFrozen(config)).toBe(true)
  })

  it.each(['app.example.com', 'https://app.example.com/', 'https://app.example.com/x', 'a,,b'])(
    'refuses an origin that is none: %s',
    (origins) => {
      const said = problem({ TAILRACE_ALLOWED_ORIGINS: origins })
      expect(said).toContain('TAILRACE_ALLOWED_ORIGINS: must be origins such as https://')
    },
  )

  it('takes an empty variable for an absent one', () => {
    const names = [
      'TAILRACE_HOST',
      'TAILRACE_PORT',
      'PORT',
      'DATABASE_URL',
      'TAILRACE_AUTO_CREATE_TOPICS',
    ]
    expect(readConfig(Object.fromEntries(names.map((name) => [name, ''])))).toEqual(readConfig({}))
  })

  it.each([
    [{ PORT: '5000' }, 5000],
    [{ TAILRACE_PORT: '6000' }, 6000],
    [{ PORT: '5000', TAILRACE_PORT: '6000' }, 6000],
    [{ PORT: '5000', TAILRACE_PORT: '0' }, 0],
    [{ PORT: '5000', TAILRACE_PORT: '' }, 5000],
    [{ PORT: '0' }, 0],
    [{ PORT: '65535' }, 65535],
  ])('the port of %j is %i: PORT as platforms set it, TAILRACE_PORT wins', (environment, port) => {
    expect(readConfig(environment).port).toBe(port)
  })

  it('leaves the variables of others alone', () => {
    const others = {
      HOME: '/root',
      NODE_ENV: 'production',
      PGHOST: 'x',
      TAIL_RACE: 'y',
      tailrace_port: 'z',
    }
    expect(readConfig(others)).toEqual(readConfig({}))
  })
})

describe('an unknown TAILRACE_ variable', () => {
  it.each([
    ['TAILRACE_PROT', 'TAILRACE_PORT'],
    ['TAILRACE_HOSTS', 'TAILRACE_HOST'],
    ['TAILRACE_DATADIR', 'TAILRACE_DATA_DIR'],
    ['TAILRACE_LOGLEVEL', 'TAILRACE_LOG_LEVEL'],
    ['TAILRACE_AUTO_CREATE_TOPIC', 'TAILRACE_AUTO_CREATE_TOPICS'],
    ['TAILRACE_port', 'TAILRACE_PORT'],
  ])('%s is named, with what was perhaps meant', (name, meant) => {
    const message = problem({ [name]: 'x' })
    expect(message).toContain(`${name}: is not a variable of Tailrace`)
    expect(message).toContain(`did you mean ${meant}?`)
  })

  it('like no other is to be removed', () => {
    expect(problem({ TAILRACE_KAFKA_BROKERS: 'x' })).toContain(
      'TAILRACE_KAFKA_BROKERS: is not a variable of Tailrace; remove it',
    )
  })

  it('that every object has is one too', () => {
    expect(problem({ TAILRACE_constructor: 'x' })).toContain('TAILRACE_constructor')
  })
})

describe('a bad value', () => {
  it.each([
    ['TAILRACE_PORT', '65536'],
    ['TAILRACE_PORT', '-1'],
    ['TAILRACE_PORT', '7070x'],
    ['TAILRACE_PORT', '7e3'],
    ['TAILRACE_PORT', ' 7070'],
    ['PORT', 'http'],
    ['PORT', '123456'],
    ['TAILRACE_LOG_LEVEL', 'verbose'],
    ['TAILRACE_LOG_LEVEL', 'INFO'],
    ['TAILRACE_AUTO_CREATE_TOPICS', 'yes'],
    ['TAILRACE_AUTO_CREATE_TOPICS', 'TRUE'],
    ['TAILRACE_ALLOW_UNSAFE_DURABILITY', 'on'],
    ['DATABASE_URL', 'mysql://u@h/d'],
    ['DATABASE_URL', 'localhost/db'],
  ])('%s=%s is named by its variable', (name, value) => {
    const [, ...lines] = problem({ [name]: value }).split('\n  ')
    expect(lines).toHaveLength(1)
    expect(lines[0]).toMatch(new RegExp(`^${name}: \\S`))
  })

  it('stands beside all others that are wrong', () => {
    const message = problem({
      TAILRACE_PORT: 'x',
      TAILRACE_LOG_LEVEL: 'y',
      TAILRACE_FOO: 'z',
      DATABASE_URL: 'w',
    })
    for (const name of ['TAILRACE_PORT', 'TAILRACE_LOG_LEVEL', 'TAILRACE_FOO', 'DATABASE_URL']) {
      expect(message).toContain(`${name}: `)
    }
  })

  it('does not show the password of an address', () => {
    expect(problem({ DATABASE_URL: 'postgre://user:hunter2@host/db' })).not.toContain('hunter2')
  })
})
