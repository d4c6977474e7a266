/** The rate at which the disk makes writes durable: the limit of transactions per second. */
import { closeSync, fsyncSync, openSync, rmSync, writeSync } from "node:fs"
import { join } from "node:path"
import { percentile } from "./measure.js"

const page = Buffer.alloc(4_096, 1)
const pages = 1_024

/** Writes and flushes pages of one file for a second. */
export const measureDisk = (folder: string): { readonly rate: number; readonly p99: number } => {
  const file = join(folder, "fsync")
  const handle = openSync(file, "w")
  try {
    for (let i = 0; i < pages; i += 1) writeSync(handle, page, 0, page.length, i * page.length)
    fsyncSync(handle)
    const times: Array<number> = []
    const start = performance.now()
    while (performance.now() - start < 1_000) {
      const before = performance.now()
      writeSync(handle, page, 0, page.length, (times.length % pages) * page.length)
      fsyncSync(handle)
      times.push(performance.now() - before)
    }
    const rate = (times.length * 1_000) / (performance.now() - start)
    return {
      rate,
      p99: percentile(
        times.sort((a, b) => a - b),
        0.99
      )
    }
  } finally {
    closeSync(handle)
    rmSync(file)
  }
}
