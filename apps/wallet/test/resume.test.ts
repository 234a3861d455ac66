import { ServiceUnavailableError } from '@payflow/clients';
import { newId } from '@payflow/kernel';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { Holds } from '../src/application/holds.js';
import { ResumeTransfers } from '../src/application/resume-transfers.js';
import { Ledger } from '../src/clients/clients.module.js';
import { WalletsUnderTest } from './wallets-under-test.js';

let wallets: WalletsUnderTest;

beforeAll(async () => {
  wallets = await WalletsUnderTest.start({ instances: 2 });
});
afterAll(async () => {
  await wallets.stop();
});

describe('a transfer that another instance resumes while its owner is slow', () => {
  it('is not ended as one that nobody has posted', async () => {
    const [alice, bob] = await Promise.all([wallets.person(), wallets.person()]);
    const [from, to] = await Promise.all([wallets.wallet(alice, 1_000), wallets.wallet(bob)]);
    const [owner, other] = [wallets.app(0).get(Ledger), wallets.app(1).get(Ledger)];
    const [ofOwner, ofOther] = [owner.post.bind(owner), other.post.bind(other)];
    let ownerHasAnswered = (): void => undefined;
    const ownerAnswered = new Promise<void>((resolve) => (ownerHasAnswered = resolve));
    let resumed: Promise<unknown> = Promise.resolve();
    owner.post = async ([posting]) => {
      // The other instance has posted it and not recorded it yet, when the owner hears that his request was not sent.
      await new Promise<void>((posted) => {
        other.post = async (postings) => {
          const results = await ofOther(postings);
          posted();
          await ownerAnswered;
          return results;
        };
        resumed = wallets
          .app(1)
          .get(ResumeTransfers)
          .resume(String(posting?.reference.slice('wallet:'.length)));
      });
      throw new ServiceUnavailableError('ledger', false, 'not connected');
    };
    try {
      const { status, body } = await wallets.transfer(alice, from, to, 300, { key: newId('req') });
      expect([status, body]).toEqual([202, expect.objectContaining({ status: 'PENDING' })]);
    } finally {
      ownerHasAnswered();
      owner.post = ofOwner;
      await resumed;
      other.post = ofOther;
    }
    const history = (await wallets.get('/transactions', alice)).body['data'];
    expect(history).toEqual([expect.objectContaining({ status: 'SUCCESS', debit: 300, balanceAfter: 700 })]);
    expect(await wallets.available(to)).toBe(300);
  });

  it('has failed for both, when the ledger has refused it and there is money by the time the other asks', async () => {
    const [alice, bob] = await Promise.all([wallets.person(), wallets.person()]);
    const [from, to] = await Promise.all([wallets.wallet(alice, 100), wallets.wallet(bob)]);
    const [owner, other] = [wallets.app(0).get(Ledger), wallets.app(1).get(Ledger)];
    const [ofOwner, ofOther] = [owner.post.bind(owner), other.post.bind(other)];
    let ownerHasAnswered = (): void => undefined;
    const ownerAnswered = new Promise<void>((resolve) => (ownerHasAnswered = resolve));
    let resumed: Promise<unknown> = Promise.resolve();
    owner.post = async (postings) => {
      const refused = await ofOwner(postings);
      owner.post = ofOwner;
      await wallets.fund(from, 1_000);
      // The owner is slow to hear the refusal; the other instance has asked again by then and not recorded it yet.
      await new Promise<void>((posted) => {
        other.post = async (again) => {
          const results = await ofOther(again);
          posted();
          await ownerAnswered;
          return results;
        };
        resumed = wallets
          .app(1)
          .get(ResumeTransfers)
          .resume(String(postings[0]?.reference.slice('wallet:'.length)));
      });
      return refused;
    };
    try {
      const { status, body } = await wallets.transfer(alice, from, to, 300, { key: newId('req') });
      expect([status, body]).toEqual([202, expect.objectContaining({ status: 'PENDING' })]);
    } finally {
      ownerHasAnswered();
      owner.post = ofOwner;
      await resumed;
      other.post = ofOther;
    }
    const history = (await wallets.get('/transactions', alice)).body['data'];
    expect(history).toEqual([expect.objectContaining({ status: 'FAILED', reason: 'insufficient_funds' })]);
    expect([await wallets.available(from), await wallets.available(to)]).toEqual([1_100, 0]);
  });
});

describe('a hold that another instance places while its owner is slow', () => {
  it('has failed for both, and none of its money is set aside', async () => {
    const alice = await wallets.person();
    const wallet = await wallets.wallet(alice, 100);
    const [owner, other] = [wallets.app(0).get(Ledger), wallets.app(1).get(Ledger)];
    const [ofOwner, ofOther] = [owner.post.bind(owner), other.post.bind(other)];
    let ownerHasAnswered = (): void => undefined;
    const ownerAnswered = new Promise<void>((resolve) => (ownerHasAnswered = resolve));
    let placed: Promise<unknown> = Promise.resolve();
    owner.post = async (postings) => {
      const refused = await ofOwner(postings);
      owner.post = ofOwner;
      await wallets.fund(wallet, 1_000);
      await new Promise<void>((posted) => {
        other.post = async (again) => {
          const results = await ofOther(again);
          posted();
          await ownerAnswered;
          return results;
        };
        placed = wallets
          .app(1)
          .get(Holds)
          .carryOut(String(postings[0]?.reference.slice('wallet:'.length)));
      });
      return refused;
    };
    let holdId: string;
    try {
      const path = `/wallets/${wallet}/holds`;
      const { status, body } = await wallets.post(path, { as: alice, key: newId('req'), body: { amount: 300 } });
      expect([status, body['status']]).toEqual([202, 'PENDING']);
      holdId = String(body['holdId']);
    } finally {
      ownerHasAnswered();
      owner.post = ofOwner;
      await placed;
      other.post = ofOther;
    }
    expect((await wallets.get(`/holds/${holdId}`, alice)).body).toMatchObject({ status: 'FAILED' });
    expect(await wallets.available(wallet)).toBe(1_100);
  });
});
