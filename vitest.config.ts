import { defineConfig } from 'vitest/config'

const report = process.env['TEST_REPORT']

export default defineConfig({
  test: {
    include: ['{apps,packages,infra,test}/**/*.test.ts'],
    globalSetup: ['infra/local/src/testing/global-setup.ts'],
    // Two shared cores: a few files at a time, and time enough for a machine that is busy with something else.
    maxWorkers: 3,
    testTimeout: 60_000,
    hookTimeout: 120_000,
    reporters: report ? ['default', ['json', { outputFile: report }]] : ['default'],
  },
})
