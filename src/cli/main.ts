#!/usr/bin/env node
import { Command } from 'commander'
import { healthcheck } from './commands/healthcheck.ts'

/** The command line. Commands that load the server do so only when called: the others start faster. */
const program = new Command('tailrace')
  .description('Kafka-style topics over plain HTTP, on the Postgres you already have')
  .showHelpAfterError()

program
  .command('serve')
  .description('run the server (configuration: TAILRACE_* variables, see the README)')
  .action(async () => {
    const { serve } = await import('./commands/serve.ts')
    await serve()
  })

program
  .command('migrate')
  .description('bring the database schema up to date, and end')
  .action(async () => {
    const { migrateOnce } = await import('./commands/migrate.ts')
    await migrateOnce()
  })

program
  .command('healthcheck')
  .description('exit with 0 if a server is ready, else with 6')
  .argument('[url]', 'where the server is; default: this machine, TAILRACE_PORT or PORT')
  .action(healthcheck)

await program.parseAsync()
