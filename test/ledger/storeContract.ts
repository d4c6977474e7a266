/**
 * The behaviour that all stores share, seen through their service only. Not pinned, as no transaction relies on it: lists with the same id
 * twice (but for keys), rows of keys, records and calls that do not exist, and the order of code points beyond U+FFFF.
 */
import { describe } from "@effect/vitest"
import { catalogContract } from "./support/catalogContract.js"
import { countContract } from "./support/countContract.js"
import { leaseContract } from "./support/leaseContract.js"
import { readingContract } from "./support/readingContract.js"
import { reportingContract } from "./support/reportingContract.js"
import type { StoreTest } from "./support/storeTest.js"
import { transactionContract } from "./support/transactionContract.js"
import { usageContract } from "./support/usageContract.js"

export const storeContract = (name: string, test: StoreTest): void => {
  describe(name, () => {
    describe("catalog", () => catalogContract(test))
    describe("usage", () => usageContract(test))
    describe("counts", () => countContract(test))
    describe("transactions", () => transactionContract(test))
    describe("reporting", () => reportingContract(test))
    describe("leases", () => leaseContract(test))
    describe("reading", () => readingContract(test))
  })
}
