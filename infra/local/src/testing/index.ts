export { openTestDatabase, type TestDatabase } from './test-database.ts'
export { openTestRedis, type TestRedis } from './test-redis.ts'
export { openWeir, type Weir, type WeirOptions } from './weir.ts'
