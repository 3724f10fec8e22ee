import { readFile, writeFile } from 'node:fs/promises'
import { stringify } from 'yaml'
import { openapiDocument } from '../../src/contract/openapi.ts'
import { programVersion } from '../../src/server.ts'

/** `npm run openapi`: writes openapi.yaml from the contract; with `--check`, only says whether it is true. */
const file = new URL('../../openapi.yaml', import.meta.url)
const head =
  '# Generated from src/contract by `npm run openapi`; edit the contract, not this file.\n'
const text =
  head + stringify(openapiDocument(await programVersion()), { aliasDuplicateObjects: false })

if (!process.argv.includes('--check')) {
  await writeFile(file, text)
} else if ((await readFile(file, 'utf8').catch(() => '')) !== text) {
  process.stderr.write('openapi.yaml is not what the contract says. Run: npm run openapi\n')
  process.exitCode = 1
}
