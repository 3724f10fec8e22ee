import { readFile, writeFile } from 'node:fs/promises'
import { stringify } from 'yaml'
import { asyncapiDocument } from '../../src/contract/asyncapi.ts'
import { openapiDocument } from '../../src/contract/openapi.ts'
import { programVersion } from '../../src/server.ts'

/**
 * `npm run openapi`: writes openapi.yaml and asyncapi.yaml from the contract; with `--check`, only says
 * whether they are true.
 */
const HEAD =
  '# Generated from src/contract by `npm run openapi`; edit the contract, not this file.\n'
const version = await programVersion()
const documents = {
  'openapi.yaml': openapiDocument(version),
  'asyncapi.yaml': asyncapiDocument(version),
}

for (const [name, document] of Object.entries(documents)) {
  const file = new URL(`../../${name}`, import.meta.url)
  const text = HEAD + stringify(document, { aliasDuplicateObjects: false })
  if (!process.argv.includes('--check')) {
    await writeFile(file, text)
  } else if ((await readFile(file, 'utf8').catch(() => '')) !== text) {
    process.stderr.write(`${name} is not what the contract says. Run: npm run openapi\n`)
    process.exitCode = 1
  }
}
