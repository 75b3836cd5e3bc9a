// SPDX-License-Identifier: BUSL-1.1
pragma solidity ^0.8.24;

/// @title What a licence allows, in words that the chain can compare (REF §4.1, C40)
/// @notice Rights, channels and languages are words of an append-only vocabulary; a licence holds a bitmap of each.
/// Territories are codes of five ASCII bytes: an ISO 3166-1 country (`US`, padded with zeros) or an ISO 3166-2 subdivision
/// without its dash (`USVA` for US-VA); a country covers its subdivisions. A set of rights is stored once, under its hash.
interface IRightsRegistry {
    enum Dimension {
        Right,
        Channel,
        Language
    }

    /// @param rights Bitmap over the vocabulary of rights (`use`, `sublicense`, …). Bit i is word i.
    /// @param channels Bitmap over channels.
    /// @param languages Bitmap over languages; all ones: every language, also those to come.
    /// @param worldwide Every territory; then `territories` is empty.
    /// @param territories Codes strictly ascending; at most 60.
    struct Rights {
        uint64 rights;
        uint64 channels;
        uint256 languages;
        bool worldwide;
        bytes5[] territories;
    }

    /// @notice One use to judge. Indices are the vocabulary's.
    struct Use {
        uint8 right;
        uint8 channel;
        uint8 language;
        bytes5 territory;
    }

    event TermAdded(Dimension indexed dimension, uint8 indexed index, string term);
    event RightsRegistered(bytes32 indexed rightsHash);

    error TermKnown(Dimension dimension, string term);
    error TermUnknown(Dimension dimension, string term);
    /// @notice A word is 1 to 32 bytes of `a-z0-9-`, languages included (`en`, `pt-br`).
    error TermMalformed(string term);
    error VocabularyFull(Dimension dimension);
    error RightsUnknown(bytes32 rightsHash);
    error RightsEmpty(Dimension dimension);
    error RightsBeyondVocabulary(Dimension dimension, uint256 bits);
    error TerritoriesEmpty();
    error TerritoriesBesideWorld(uint256 given);
    error TooManyTerritories(uint256 given, uint256 most);
    error TerritoryMalformed(bytes5 code);
    error TerritoriesNotAscending(bytes5 before, bytes5 given);
    /// @notice `US` covers `USVA`: the second says nothing.
    error TerritoryCovered(bytes5 country, bytes5 given);

    /// @notice Stores a set and gives its hash; storing it again changes nothing.
    function register(Rights calldata set) external returns (bytes32 rightsHash);
    /// @notice keccak256("CHLOM_RIGHTS_V1" ‖ abi.encode(set)).
    function hashOf(Rights calldata set) external pure returns (bytes32);
    function rightsOf(bytes32 rightsHash) external view returns (Rights memory);
    function isRegistered(bytes32 rightsHash) external view returns (bool);
    /// @return reason 0 when allowed; otherwise `RIGHT`, `CHANNEL`, `LANGUAGE` or `TERRITORY` as ASCII, the first that fails.
    function allows(bytes32 rightsHash, Use calldata use_) external view returns (bytes32 reason);
    /// @notice Whether some use is allowed by both.
    function overlaps(bytes32 a, bytes32 b) external view returns (bool);
    /// @return reason 0 when every use that `inner` allows is allowed by `outer`; otherwise the first dimension that exceeds it.
    function isWithin(bytes32 inner, bytes32 outer) external view returns (bytes32 reason);
    function grants(bytes32 rightsHash, uint8 right) external view returns (bool);

    function addTerm(Dimension dimension, string calldata term) external returns (uint8 index);
    function term(Dimension dimension, uint8 index) external view returns (string memory);
    function termIndex(Dimension dimension, string calldata word) external view returns (uint8);
    function termCount(Dimension dimension) external view returns (uint256);
}
