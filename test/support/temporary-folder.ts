import { chmod, mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/**
 * A new temporary folder. For root it is opened to the account that Postgres runs as: data in a folder
 * that account cannot enter would lie elsewhere, and stay there when the folder is removed.
 */
export async function temporaryFolder(name: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), `tailrace-${name}-`))
  if (process.getuid?.() === 0) await chmod(folder, 0o755)
  return folder
}
