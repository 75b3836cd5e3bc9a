// Every method of the document with parameters for it: each entry is the list of calls to make, from the fixture.

// A pending block has no hash yet: geth and the document disagree on how to say so.
const SEALED = ['latest', 'safe', 'finalized', 'earliest'];
const TAGS = [...SEALED, 'pending'];
const SLOT = '0x0000000000000000000000000000000000000000000000000000000000000002';
const none = () => [[]];
const transaction = (f) => ({ from: f.me, to: f.coin, input: f.transfer });

/** Traces with every option of the document, on a transaction that failed and one that did not. */
const TRACE_OPTIONS = [
  {},
  { disableStack: true, disableStorage: true, enableMemory: true, enableReturnData: true },
  { tracer: 'callTracer' },
  { tracer: 'prestateTracer' },
];

export const CALLS = {
  eth_getBlockByHash: (f) => [
    [f.blockHash, true],
    [f.blockHash, false],
    [f.unknown, false],
  ],
  eth_getBlockByNumber: (f) => [
    ...f.blocks.map((block) => [block, true]),
    ...SEALED.map((tag) => [tag, false]),
    ['0xffffff', false],
  ],
  eth_getBlockTransactionCountByHash: (f) => [[f.blockHash], [f.unknown]],
  eth_getBlockTransactionCountByNumber: (f) => [[f.block], ['latest'], ['0xffffff']],
  eth_getBlockReceipts: (f) => [...f.blocks.map((block) => [block]), [f.blockHash], ['earliest'], ['0xffffff']],
  eth_capabilities: none,
  eth_chainId: none,
  eth_syncing: none,
  eth_coinbase: none,
  eth_accounts: none,
  eth_blockNumber: none,
  eth_config: none,
  net_version: none,
  eth_call: (f) => [
    [{ to: f.coin, input: f.balanceOf }],
    [{ to: f.coin, input: f.balanceOf }, f.block],
    [transaction(f), 'pending'],
    [{ to: f.friend }, f.blockHash],
    [{ from: f.me, input: f.creation }, 'latest'],
  ],
  eth_estimateGas: (f) => [
    [transaction(f)],
    [transaction(f), f.block],
    [{ from: f.me, input: f.creation }, 'latest'],
    [{ from: f.me, to: f.friend, value: '0x1' }, 'pending'],
  ],
  eth_createAccessList: (f) => [
    [transaction(f)],
    [transaction(f), 'pending'],
    [{ from: f.me, to: f.faults, input: f.failing }, 'latest'],
  ],
  eth_simulateV1: (f) => [
    [{ blockStateCalls: [{ calls: [transaction(f), { to: f.faults, input: f.failing }] }] }, 'latest'],
    [
      {
        blockStateCalls: [
          { blockOverrides: { time: '0xf0000000' }, calls: [{ from: f.me, to: f.friend, value: '0x1' }] },
          { calls: [] },
        ],
        traceTransfers: true,
        returnFullTransactions: true,
      },
      'latest',
    ],
  ],
  eth_gasPrice: none,
  eth_baseFee: none,
  eth_blobBaseFee: none,
  eth_maxPriorityFeePerGas: none,
  eth_feeHistory: (f) => [
    ['0x4', 'latest', [10, 50, 90]],
    ['0x1', f.block, []],
  ],
  eth_fillTransaction: (f) => [[transaction(f)], [{ from: f.me, to: f.friend, value: '0x1', gasPrice: '0x77359400' }]],
  eth_newFilter: (f) => [
    [{ address: f.coin, fromBlock: f.block, toBlock: 'latest', topics: [null, [f.unknown]] }],
    [{}],
  ],
  eth_newBlockFilter: none,
  eth_newPendingTransactionFilter: none,
  eth_uninstallFilter: (f) => [[f.filters.log], ['0x1234567890']],
  eth_getFilterChanges: (f) => [[f.filters.log], [f.filters.block], [f.filters.pending]],
  eth_getFilterLogs: (f) => [[f.filters.log]],
  eth_getLogs: (f) => [
    [{ address: f.coin, fromBlock: '0x0', toBlock: 'latest' }],
    [{ blockHash: f.blockHash }],
    [{ address: [f.coin, f.friend], fromBlock: f.block, topics: [] }],
  ],
  eth_sign: (f) => [[f.me, '0x43484c4f4d']],
  eth_signTransaction: (f) => [
    [
      {
        from: f.me,
        to: f.friend,
        value: '0x1',
        gas: '0x5208',
        nonce: '0x0',
        maxFeePerGas: '0x77359400',
        maxPriorityFeePerGas: '0x1',
      },
    ],
    [{ from: f.me, to: f.friend, value: '0x1', gas: '0x5208', nonce: '0x0', gasPrice: '0x77359400' }],
  ],
  eth_getBalance: (f) => [[f.me], [f.me, f.block], [f.friend, f.blockHash], ...TAGS.map((tag) => [f.me, tag])],
  eth_getStorageAt: (f) => [
    [f.coin, SLOT, 'latest'],
    [f.coin, '0x2', f.block],
    [f.friend, '0x0'],
  ],
  eth_getStorageValues: (f) => [
    [{ [f.coin]: [SLOT, '0x0'], [f.friend]: [SLOT] }, 'latest'],
    [{ [f.coin]: ['0x2'] }, f.block],
  ],
  eth_getTransactionCount: (f) => [[f.me], [f.me, 'pending'], [f.me, f.block], [f.me, f.blockHash]],
  eth_getCode: (f) => [[f.coin], [f.friend, 'latest'], [f.coin, f.block]],
  eth_getProof: (f) => [
    [f.coin, [SLOT, '0x0'], 'latest'],
    [f.me, [], f.block],
    [f.unknown.slice(0, 42), ['0x5'], 'latest'],
  ],
  eth_sendTransaction: (f) => [[{ from: f.me, to: f.friend, value: '0x1' }], [transaction(f)]],
  eth_sendRawTransaction: async (f) => [[await f.ready(0)]],
  eth_getTransactionByHash: (f) => [...f.hashes.map((hash) => [hash]), [f.unknown]],
  eth_getTransactionByBlockHashAndIndex: (f) => [
    [f.blockHash, '0x0'],
    [f.blockHash, '0xff'],
    [f.unknown, '0x0'],
  ],
  eth_getTransactionByBlockNumberAndIndex: (f) => [...f.blocks.map((block) => [block, '0x0']), ['latest', '0xff']],
  eth_getTransactionReceipt: (f) => [...f.hashes.map((hash) => [hash]), [f.unknown]],
  debug_getRawHeader: (f) => [[f.block], ['latest'], ['earliest']],
  debug_getRawBlock: (f) => [[f.block], ['latest'], ['earliest']],
  debug_getRawTransaction: (f) => f.hashes.map((hash) => [hash]),
  debug_getRawReceipts: (f) => [[f.block], ['latest'], ['earliest']],
  debug_getBadBlocks: none,
  debug_traceBlockByNumber: (f) => [[f.block], ...TRACE_OPTIONS.map((options) => [f.blocks.at(-1), options])],
  debug_traceBlockByHash: (f) => TRACE_OPTIONS.map((options) => [f.blockHash, options]),
  debug_traceTransaction: (f) =>
    [f.failed, f.hashes[0], f.hashes[2]].flatMap((hash) => TRACE_OPTIONS.map((options) => [hash, options])),
  txpool_status: none,
  txpool_content: none,
  txpool_contentFrom: (f) => [[f.queuer], [f.friend]],
};

/** Calls that must fail, with the code that the document or geth gives them. */
export const FAILING_CALLS = (f) => [
  ['eth_call', [{ to: f.faults, input: f.failing }, 'latest'], 3],
  ['eth_estimateGas', [{ to: f.faults, input: f.failing }, 'latest'], 3],
  ['eth_call', [{ to: 'nowhere' }, 'latest'], -32602],
  ['eth_getBalance', [f.me, 'never'], -32602],
  ['eth_getBlockByNumber', ['latest'], -32602],
  ['eth_getProof', [f.coin, ['nonsense'], 'latest'], -32602],
  ['eth_getLogs', [{ blockHash: f.blockHash, fromBlock: '0x0' }], -32602],
  ['eth_newFilter', [{ blockHash: f.blockHash, toBlock: '0x0' }], -32602],
  ['eth_feeHistory', ['0x2', 'latest', [90, 10]], -32000],
  ['eth_feeHistory', ['0x2', 'latest', [101]], -32000],
  ['eth_simulateV1', [{ blockStateCalls: [] }, 'latest'], -32602],
  ['eth_simulateV1', [{ blockStateCalls: [{ blockOverrides: { number: '0x1' }, calls: [] }] }, f.block], -38020],
  ['eth_simulateV1', [{ blockStateCalls: [{ blockOverrides: { time: '0x1' }, calls: [] }] }, 'latest'], -38021],
  ['eth_sendRawTransaction', ['0x00'], -32000],
  ['debug_traceTransaction', [f.unknown, {}], -32000],
];
