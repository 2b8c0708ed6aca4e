/** For `expect.poll`: what is awaited comes as soon as it can, and a busy machine is given time. */
export const patiently = { interval: 25, timeout: 30_000 }
