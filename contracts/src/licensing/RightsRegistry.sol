// SPDX-License-Identifier: BUSL-1.1
pragma solidity ^0.8.24;

import {Governed} from "../core/Governed.sol";
import {Roles} from "../core/Roles.sol";
import {IRightsRegistry} from "./interfaces/IRightsRegistry.sol";
import {Territories} from "./libraries/Territories.sol";
import {Vocabulary} from "./libraries/Vocabulary.sol";

/// @notice What most uses are judged by, in one word, from the lowest bit: rights 64, channels 64, count of territories 8,
/// every language 1, worldwide 1, registered 1.
type Head is uint256;

using {registered, rights, channels, territoryCount, everyLanguage, worldwide} for Head;

uint256 constant EVERY_LANGUAGE = 1 << 136;
uint256 constant WORLDWIDE = 1 << 137;
uint256 constant REGISTERED = 1 << 138;

function packHead(IRightsRegistry.Rights calldata set) pure returns (Head) {
    uint256 bits = uint256(set.rights) | uint256(set.channels) << 64 | set.territories.length << 128 | REGISTERED;
    if (set.languages == type(uint256).max) bits |= EVERY_LANGUAGE;
    if (set.worldwide) bits |= WORLDWIDE;
    return Head.wrap(bits);
}

function rights(Head head) pure returns (uint64) {
    return uint64(Head.unwrap(head));
}

function channels(Head head) pure returns (uint64) {
    return uint64(Head.unwrap(head) >> 64);
}

function territoryCount(Head head) pure returns (uint256) {
    return uint8(Head.unwrap(head) >> 128);
}

function everyLanguage(Head head) pure returns (bool) {
    return Head.unwrap(head) & EVERY_LANGUAGE != 0;
}

function worldwide(Head head) pure returns (bool) {
    return Head.unwrap(head) & WORLDWIDE != 0;
}

function registered(Head head) pure returns (bool) {
    return Head.unwrap(head) & REGISTERED != 0;
}

/// @title Sets of rights, and the words they are made of (REF §4.1, C40)
/// @dev Upholds [LIC-50], [LIC-51], [LIC-52], [LIC-53], [LIC-54], [LIC-55], [LIC-56].
contract RightsRegistry is IRightsRegistry, Governed {
    using Territories for uint256[10];

    // ---------------------------------------------------------------- structs

    /// @dev `languages` stays empty where every language is meant; words of `territories` beyond the count are never written.
    struct Stored {
        Head head;
        uint256 languages;
        uint256[10] territories;
    }

    // ---------------------------------------------------------------- storage

    mapping(bytes32 rightsHash => Stored) private _sets;
    mapping(Dimension => uint256) private _counts;
    mapping(Dimension => mapping(uint256 index => bytes32 word)) private _words;
    /// @dev Index + 1.
    mapping(Dimension => mapping(bytes32 word => uint256)) private _indices;

    // ---------------------------------------------------------------- constructor

    constructor() {
        _disableInitializers();
    }

    /// @notice Once, by the proxy's constructor. `authority` adds words.
    function initialize(address owner_, address authority) external initializer {
        _govern(owner_, authority, Roles.LEXICOGRAPHER);
        _addList(Dimension.Right, Vocabulary.RIGHTS);
        _addList(Dimension.Channel, Vocabulary.CHANNELS);
        _addList(Dimension.Language, Vocabulary.LANGUAGES);
    }

    // ---------------------------------------------------------------- sets

    /// @inheritdoc IRightsRegistry
    function register(Rights calldata set) external returns (bytes32 rightsHash) {
        rightsHash = hashOf(set);
        Stored storage s = _sets[rightsHash];
        if (s.head.registered()) return rightsHash;
        _checkBits(Dimension.Right, set.rights);
        _checkBits(Dimension.Channel, set.channels);
        if (set.languages != type(uint256).max) _checkBits(Dimension.Language, set.languages);
        if (set.worldwide) {
            if (set.territories.length != 0) revert TerritoriesBesideWorld(set.territories.length);
        } else {
            if (set.territories.length == 0) revert TerritoriesEmpty();
            Territories.check(set.territories);
        }
        s.head = packHead(set);
        if (set.languages != type(uint256).max) s.languages = set.languages;
        s.territories.store(set.territories);
        emit RightsRegistered(rightsHash);
    }

    /// @inheritdoc IRightsRegistry
    function hashOf(Rights calldata set) public pure returns (bytes32) {
        return keccak256(bytes.concat("CHLOM_RIGHTS_V1", abi.encode(set)));
    }

    /// @inheritdoc IRightsRegistry
    function rightsOf(bytes32 rightsHash) external view returns (Rights memory) {
        Stored storage s = _known(rightsHash);
        return Rights(
            s.head.rights(),
            s.head.channels(),
            _languagesOf(s),
            s.head.worldwide(),
            s.territories.load(s.head.territoryCount())
        );
    }

    /// @inheritdoc IRightsRegistry
    function isRegistered(bytes32 rightsHash) external view returns (bool) {
        return _sets[rightsHash].head.registered();
    }

    /// @inheritdoc IRightsRegistry
    function allows(bytes32 rightsHash, Use calldata use_) external view returns (bytes32 reason) {
        // Every lane asks this for every receipt: written for gas, each word read once.
        Stored storage s = _sets[rightsHash];
        uint256 head = Head.unwrap(s.head);
        if (head == 0) revert RightsUnknown(rightsHash);
        (uint256 right, uint256 channel, uint256 language, uint256 territory) = _raw(use_);
        if ((head & type(uint64).max) >> right & 1 == 0) return "RIGHT";
        if ((head >> 64 & type(uint64).max) >> channel & 1 == 0) return "CHANNEL";
        if (head & EVERY_LANGUAGE == 0 && s.languages >> language & 1 == 0) return "LANGUAGE";
        if (head & WORLDWIDE == 0) {
            if (s.territories.contains(territory)) return 0;
        } else if (Territories.isCode(bytes5(bytes32(territory)))) {
            return 0;
        }
        return "TERRITORY";
    }

    /// @inheritdoc IRightsRegistry
    function overlaps(bytes32 a, bytes32 b) external view returns (bool) {
        Stored storage x = _known(a);
        Stored storage y = _known(b);
        if (x.head.rights() & y.head.rights() == 0 || x.head.channels() & y.head.channels() == 0) return false;
        if (_languagesOf(x) & _languagesOf(y) == 0) return false;
        if (x.head.worldwide() || y.head.worldwide()) return true;
        return
            Territories.meet(x.territories.load(x.head.territoryCount()), y.territories.load(y.head.territoryCount()));
    }

    /// @inheritdoc IRightsRegistry
    function isWithin(bytes32 inner, bytes32 outer) external view returns (bytes32 reason) {
        Stored storage x = _known(inner);
        Stored storage y = _known(outer);
        if (x.head.rights() & ~y.head.rights() != 0) return "RIGHT";
        if (x.head.channels() & ~y.head.channels() != 0) return "CHANNEL";
        if (_languagesOf(x) & ~_languagesOf(y) != 0) return "LANGUAGE";
        if (y.head.worldwide()) return 0;
        if (x.head.worldwide()) return "TERRITORY";
        if (!Territories.within(
                x.territories.load(x.head.territoryCount()), y.territories.load(y.head.territoryCount())
            )) {
            return "TERRITORY";
        }
    }

    /// @inheritdoc IRightsRegistry
    function grants(bytes32 rightsHash, uint8 right) external view returns (bool) {
        return _has(_known(rightsHash).head.rights(), right);
    }

    // ---------------------------------------------------------------- the vocabulary

    /// @inheritdoc IRightsRegistry
    function addTerm(Dimension dimension, string calldata word)
        external
        onlyRoles(Roles.LEXICOGRAPHER)
        returns (uint8 index)
    {
        bytes32 packed = _pack(word);
        if (_indices[dimension][packed] != 0) revert TermKnown(dimension, word);
        return _add(dimension, packed, word);
    }

    /// @inheritdoc IRightsRegistry
    function term(Dimension dimension, uint8 index) external view returns (string memory) {
        bytes32 packed = _words[dimension][index];
        if (packed == 0) revert TermUnknown(dimension, "");
        return _unpack(packed);
    }

    /// @inheritdoc IRightsRegistry
    function termIndex(Dimension dimension, string calldata word) external view returns (uint8) {
        uint256 place = bytes(word).length > 32 ? 0 : _indices[dimension][bytes32(bytes(word))];
        if (place == 0) revert TermUnknown(dimension, word);
        return uint8(place - 1);
    }

    /// @inheritdoc IRightsRegistry
    function termCount(Dimension dimension) external view returns (uint256) {
        return _counts[dimension];
    }

    // ---------------------------------------------------------------- internals

    function _known(bytes32 rightsHash) private view returns (Stored storage s) {
        s = _sets[rightsHash];
        if (!s.head.registered()) revert RightsUnknown(rightsHash);
    }

    /// @dev An index past 255 finds no bit in any bitmap, so nothing is lost by not checking its range.
    function _raw(Use calldata use_)
        private
        pure
        returns (uint256 right, uint256 channel, uint256 language, uint256 territory)
    {
        assembly ("memory-safe") {
            right := calldataload(use_)
            channel := calldataload(add(use_, 0x20))
            language := calldataload(add(use_, 0x40))
            territory := calldataload(add(use_, 0x60))
        }
    }

    function _languagesOf(Stored storage s) private view returns (uint256) {
        return s.head.everyLanguage() ? type(uint256).max : s.languages;
    }

    function _has(uint256 bitmap, uint8 index) private pure returns (bool) {
        return bitmap >> index & 1 != 0;
    }

    function _checkBits(Dimension dimension, uint256 bits) private view {
        if (bits == 0) revert RightsEmpty(dimension);
        uint256 count = _counts[dimension];
        if (count < 256 && bits >> count != 0) revert RightsBeyondVocabulary(dimension, bits);
    }

    function _add(Dimension dimension, bytes32 packed, string memory word) private returns (uint8) {
        uint256 index = _counts[dimension];
        // The last bit of languages stays unused, so that all ones can only mean every language.
        if (index == (dimension == Dimension.Language ? 255 : 64)) revert VocabularyFull(dimension);
        _counts[dimension] = index + 1;
        _words[dimension][index] = packed;
        _indices[dimension][packed] = index + 1;
        emit TermAdded(dimension, uint8(index), word);
        return uint8(index);
    }

    /// @dev Words between commas.
    function _addList(Dimension dimension, bytes memory list) private {
        uint256 from;
        for (uint256 i; i <= list.length; ++i) {
            if (i < list.length && list[i] != ",") continue;
            bytes memory word = new bytes(i - from);
            for (uint256 k; k < word.length; ++k) {
                word[k] = list[from + k];
            }
            _add(dimension, bytes32(word), string(word));
            from = i + 1;
        }
    }

    /// @dev No word has a zero byte, so padding with zeros loses nothing.
    function _pack(string calldata word) private pure returns (bytes32) {
        bytes calldata b = bytes(word);
        if (b.length == 0 || b.length > 32) revert TermMalformed(word);
        for (uint256 i; i < b.length; ++i) {
            bytes1 c = b[i];
            if (!((c >= "a" && c <= "z") || (c >= "0" && c <= "9") || c == "-")) revert TermMalformed(word);
        }
        return bytes32(b);
    }

    function _unpack(bytes32 packed) private pure returns (string memory) {
        uint256 length;
        while (length < 32 && packed[length] != 0) ++length;
        bytes memory word = new bytes(length);
        for (uint256 i; i < length; ++i) {
            word[i] = packed[i];
        }
        return string(word);
    }
}
