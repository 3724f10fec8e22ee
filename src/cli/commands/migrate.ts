export { migrateOnce } from '../../server.ts'
