import { execFile } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Account } from './account.ts'
import { canEnter, spawnAs } from './account.ts'
import { copyFolders, copyOfBinaries } from './binaries-copy.ts'
import { EmbeddedPostgresError } from './errors.ts'
import type { NpmPackage } from './npm-binaries.ts'
import { findNpmPackage, linkLibraries, NPM_PACKAGE } from './npm-binaries.ts'

/**
 * Which Postgres to run: the one from npm, which is pinned, so a data directory keeps the major
 * version it was made with; else one installed on the system (musl, unusual platforms). Data that
 * exist can only be read by their own major version. Nothing is believed before `postgres -V` has
 * run: that finds a missing libc or library as surely as a missing file.
 */
export interface Binaries {
  bin_dir: string
  major: number
  /** For the banner: 'Postgres 18.4 from npm'. */
  label: string
}

const OLDEST_MAJOR = 15

/** Where systems keep a Postgres of their own: `bin` under each subfolder that fits `name`. */
const SYSTEM_PLACES = [
  { parent: '/usr/lib/postgresql', name: /^\d+$/, bin: 'bin' }, // Debian, Ubuntu
  { parent: '/usr/libexec', name: /^postgresql\d+$/, bin: '' }, // Alpine
  { parent: '/usr', name: /^pgsql-\d+$/, bin: 'bin' }, // packages of postgresql.org for RHEL
  { parent: '/opt/homebrew/opt', name: /^postgresql(@\d+)?$/, bin: 'bin' }, // Homebrew, Apple
  { parent: '/usr/local/opt', name: /^postgresql(@\d+)?$/, bin: 'bin' }, // Homebrew, Intel
  { parent: '/usr/local', name: /^bin$/, bin: '' }, // built by hand; the official image on Alpine
  { parent: '/usr', name: /^bin$/, bin: '' }, // Arch, Fedora
]

/** `wanted` is the major version of existing data, undefined on the first start. */
export async function chooseBinaries(
  account: Account,
  wanted: number | undefined,
  cache_dir?: string,
): Promise<Binaries> {
  const from_npm = isAlpine() ? undefined : findNpmPackage()
  if (from_npm && (wanted === undefined || wanted === Number.parseInt(from_npm.version))) {
    const usable = await npmBinaries(from_npm, account, cache_dir)
    if (usable) return usable
  }
  const from_system = await systemBinaries(account)
  const newest_first = from_system.sort((a, b) => b.major - a.major)
  const best = newest_first.find(
    ({ major }) => major >= OLDEST_MAJOR && major === (wanted ?? major),
  )
  if (best) return best
  throw wanted === undefined ? noBinaries() : wrongMajor(wanted, from_npm, from_system)
}

/** Undefined when they do not run: a foreign libc, or libraries missing on a very slim image. */
async function npmBinaries(
  found: NpmPackage,
  account: Account,
  cache_dir?: string,
): Promise<Binaries | undefined> {
  const in_place = canEnter(account, join(found.native, 'bin')) && linkLibraries(found.native)
  const native = in_place
    ? found.native
    : await copyOfBinaries(found, account, copyFolders(account, cache_dir))
  return probe(account, join(native, 'bin'), 'npm')
}

async function systemBinaries(account: Account): Promise<Binaries[]> {
  const folders = SYSTEM_PLACES.flatMap(({ parent, name, bin }) =>
    (existsSync(parent) ? readdirSync(parent) : [])
      .filter((entry) => name.test(entry))
      .map((entry) => join(parent, entry, bin)),
  )
  const complete = folders.filter((folder) => existsSync(join(folder, 'initdb')))
  const probes = await Promise.all(complete.map((folder) => probe(account, folder, folder)))
  return probes.filter((binaries) => binaries !== undefined)
}

async function probe(
  account: Account,
  bin_dir: string,
  origin: string,
): Promise<Binaries | undefined> {
  const version = await versionOf(join(bin_dir, 'postgres'), spawnAs(account))
  if (!version) return undefined
  return { bin_dir, major: Number.parseInt(version), label: `Postgres ${version} from ${origin}` }
}

/** 'postgres (PostgreSQL) 18.4' → '18.4'; undefined when the program does not run. */
async function versionOf(
  program: string,
  as: { uid?: number; gid?: number },
): Promise<string | undefined> {
  try {
    const options = { cwd: '/', timeout: 10_000, ...as }
    const { stdout } = await promisify(execFile)(program, ['-V'], options)
    return /\(PostgreSQL\) (\S+)/.exec(stdout)?.[1]
  } catch {
    return undefined
  }
}

function noBinaries(): EmbeddedPostgresError {
  if (isAlpine()) {
    return new EmbeddedPostgresError(
      'This is Alpine, and the Postgres from npm needs glibc. Type: apk add postgresql17 ' +
        '(or set DATABASE_URL).',
    )
  }
  return new EmbeddedPostgresError(
    `No Postgres to run: the npm package ${NPM_PACKAGE} is missing or does not run here, and ` +
      'none is installed. Install Postgres 15 or later or set DATABASE_URL.',
  )
}

function wrongMajor(
  wanted: number,
  from_npm: NpmPackage | undefined,
  from_system: Binaries[],
): EmbeddedPostgresError {
  const labels = from_system.map(({ label }) => label)
  if (from_npm) labels.unshift(`Postgres ${from_npm.version} from npm`)
  const install = isAlpine() ? `apk add postgresql${wanted}` : `install Postgres ${wanted}`
  return new EmbeddedPostgresError(
    `The data were made by Postgres ${wanted}, and only Postgres ${wanted} can read them; here is ` +
      `${labels.join(', ') || 'no Postgres at all'}. To keep them, ${install}, or move them with ` +
      'pg_dump to a Postgres that DATABASE_URL names. To start empty, choose another data directory.',
  )
}

function isAlpine(): boolean {
  return existsSync('/etc/alpine-release')
}
