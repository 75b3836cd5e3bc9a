//! What Solidity sees.

use alloy_sol_types::sol;

sol! {
    /// `0x0000000000000000000000000000000000001010`.
    #[derive(Debug, PartialEq, Eq)]
    interface IStaking {
        /// Who makes blocks.
        struct Validator {
            /// Ed25519 public key that signs CometBFT's votes.
            bytes32 consensusKey;
            /// Receives the tips of the blocks that it proposes.
            address account;
            /// Weight of its vote.
            uint64 power;
        }

        /// Only the sets of the previous, the current and the next two heights are kept.
        error UnknownHeight(uint256 height, uint256 first, uint256 last);
        /// The account is not in the current set.
        error NotValidator(address account);

        /// The current set, by consensus key.
        function validators() external view returns (Validator[] memory);
        /// The set that makes the block of a height: the previous, the current or one of the next two.
        function validatorSet(uint256 height) external view returns (Validator[] memory);
        /// The validator with an account, of the current set.
        function validator(address account) external view returns (Validator memory);
        /// Power of the current set.
        function totalPower() external view returns (uint256);
        /// keccak256(abi.encode(validatorSet(height))).
        function setHash(uint256 height) external view returns (bytes32);
    }
}
