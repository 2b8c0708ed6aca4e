// What the global setup hands to every test file.
declare module 'vitest' {
  export interface ProvidedContext {
    databaseUrl: string
    /** The same server, by the login that the apps use. */
    appDatabaseUrl: string
    redisUrl: string
    /** A migrated database that nobody connects to, to make others from. */
    templateDatabase: string
  }
}

export {}
