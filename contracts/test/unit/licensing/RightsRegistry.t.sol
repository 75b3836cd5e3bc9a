// SPDX-License-Identifier: BUSL-1.1
pragma solidity ^0.8.24;

import {Ownable} from "solady/auth/Ownable.sol";
import {IRightsRegistry} from "src/licensing/interfaces/IRightsRegistry.sol";
import {Vocabulary} from "src/licensing/libraries/Vocabulary.sol";
import {Base} from "test/Base.t.sol";

/// @dev Proves [LIC-50], [LIC-51], [LIC-52], [LIC-53], [LIC-54], [LIC-55], [LIC-56], sets against naive models.
contract RightsRegistryTest is Base {
    // ---------------------------------------------------------------- models

    /// @dev A few countries, each with a few subdivisions, so that sets meet often. Strictly ascending, none covered.
    function territoriesOf(uint256 seed) internal pure returns (bytes5[] memory codes) {
        bytes3[3] memory subdivisions = [bytes3("1"), "B", "VA"];
        codes = new bytes5[](30);
        uint256 count;
        for (uint256 c; c < 10; ++c) {
            bytes5 country = bytes5(abi.encodePacked("A", bytes1(uint8(0x41 + c))));
            uint256 part = seed >> (c * 5) & 31;
            if (part & 3 == 0) {
                codes[count++] = country;
                continue;
            }
            if (part & 3 == 1) continue;
            for (uint256 s; s < 3; ++s) {
                if (part >> (2 + s) & 1 == 1) codes[count++] = country | bytes5(subdivisions[s]) >> 16;
            }
        }
        if (count == 0) codes[count++] = "ZZ";
        assembly {
            mstore(codes, count)
        }
    }

    function setOf(uint256 seed) internal pure returns (IRightsRegistry.Rights memory set) {
        set.rights = uint64(seed & 7 | 1 << (seed >> 3) % 3);
        set.channels = uint64((seed >> 8) & 7 | 1 << (seed >> 11) % 3);
        set.languages = (seed >> 16) % 5 == 0 ? type(uint256).max : (seed >> 20) & 7 | uint256(1) << (seed >> 23) % 3;
        set.worldwide = (seed >> 28) % 8 == 0;
        set.territories = set.worldwide ? new bytes5[](0) : territoriesOf(seed >> 32);
    }

    /// @dev One use allowed, by the definition.
    function modelAllows(IRightsRegistry.Rights memory set, IRightsRegistry.Use memory use_)
        internal
        pure
        returns (bytes32)
    {
        if (use_.right > 63 || set.rights & uint64(1) << use_.right == 0) return "RIGHT";
        if (use_.channel > 63 || set.channels & uint64(1) << use_.channel == 0) return "CHANNEL";
        if (set.languages & uint256(1) << use_.language == 0) return "LANGUAGE";
        if (set.worldwide) return 0;
        for (uint256 i; i < set.territories.length; ++i) {
            bytes5 held = set.territories[i];
            if (held == use_.territory) return 0;
            if (held == bytes5(bytes2(use_.territory))) return 0;
        }
        return "TERRITORY";
    }

    /// @dev Places of a small world: each country's subdivisions, one of them in no list.
    function placeAt(uint256 i) internal pure returns (bytes5) {
        bytes3[4] memory subdivisions = [bytes3("1"), "B", "VA", "Z9"];
        bytes5 country = i / 4 == 10 ? bytes5("ZZ") : bytes5(abi.encodePacked("A", bytes1(uint8(0x41 + i / 4))));
        return country | bytes5(subdivisions[i % 4]) >> 16;
    }

    function modelPlaces(IRightsRegistry.Rights memory set) internal pure returns (uint256 places) {
        for (uint256 i; i < 44; ++i) {
            IRightsRegistry.Rights memory only = set;
            bytes5 place = placeAt(i);
            if (only.worldwide) {
                places |= 1 << i;
                continue;
            }
            for (uint256 k; k < set.territories.length; ++k) {
                if (set.territories[k] == place || set.territories[k] == bytes5(bytes2(place))) places |= 1 << i;
            }
        }
    }

    // ---------------------------------------------------------------- sets

    function test_a_set_is_stored_once_under_its_hash(uint256 seed) public {
        IRightsRegistry.Rights memory set = setOf(seed);
        bytes32 hash = keccak256(bytes.concat("CHLOM_RIGHTS_V1", abi.encode(set)));
        assertEq(rights.hashOf(set), hash);
        assertFalse(rights.isRegistered(hash));
        vm.expectEmit(address(rights));
        emit IRightsRegistry.RightsRegistered(hash);
        assertEq(rights.register(set), hash);
        assertTrue(rights.isRegistered(hash));
        assertEq(abi.encode(rights.rightsOf(hash)), abi.encode(set));
        vm.recordLogs();
        assertEq(rights.register(set), hash);
        assertEq(vm.getRecordedLogs().length, 0);
    }

    function test_a_use_is_allowed_as_the_model_says(uint256 seed, uint256 pick, bool known) public {
        IRightsRegistry.Rights memory set = setOf(seed);
        bytes32 hash = rights.register(set);
        IRightsRegistry.Use memory use_ = IRightsRegistry.Use(
            uint8(known ? pick % 3 : pick % 256),
            uint8(known ? (pick >> 8) % 3 : (pick >> 8) % 256),
            uint8(known ? (pick >> 16) % 3 : (pick >> 16) % 256),
            placeAt((pick >> 24) % 44)
        );
        assertEq(rights.allows(hash, use_), modelAllows(set, use_));
        assertEq(rights.grants(hash, use_.right), use_.right < 64 && set.rights >> use_.right & 1 == 1);
    }

    function test_two_sets_overlap_or_nest_as_the_model_says(uint256 first, uint256 second) public {
        IRightsRegistry.Rights memory a = setOf(first);
        IRightsRegistry.Rights memory b = setOf(second);
        (bytes32 x, bytes32 y) = (rights.register(a), rights.register(b));
        (uint256 places, uint256 others) = (modelPlaces(a), modelPlaces(b));
        bool meet = a.rights & b.rights != 0 && a.channels & b.channels != 0 && a.languages & b.languages != 0
            && places & others != 0;
        assertEq(rights.overlaps(x, y), meet);
        assertEq(rights.overlaps(y, x), meet);
        bytes32 beyond;
        if (a.rights & ~b.rights != 0) beyond = "RIGHT";
        else if (a.channels & ~b.channels != 0) beyond = "CHANNEL";
        else if (a.languages & ~b.languages != 0) beyond = "LANGUAGE";
        // The world is more than any list, and every country has a place that no list names.
        else if (!b.worldwide && (a.worldwide || places & ~others != 0)) beyond = "TERRITORY";
        assertEq(rights.isWithin(x, y), beyond);
        assertEq(rights.isWithin(x, x), 0);
    }

    function test_sixty_territories_and_no_more(uint8 more, uint8 pick) public {
        IRightsRegistry.Rights memory set = setOf(0x100000000);
        (set.worldwide, set.territories) = (false, new bytes5[](60 + bound(more, 1, 50)));
        for (uint256 i; i < set.territories.length; ++i) {
            set.territories[i] =
                bytes5(abi.encodePacked("A", bytes1(uint8(0x41 + i / 10)), bytes1(uint8(0x30 + i % 10))));
        }
        vm.expectRevert(abi.encodeWithSelector(IRightsRegistry.TooManyTerritories.selector, set.territories.length, 60));
        rights.register(set);
        bytes5[] memory codes = set.territories;
        assembly {
            mstore(codes, 60)
        }
        bytes32 hash = rights.register(set);
        IRightsRegistry.Use memory use_ = IRightsRegistry.Use(0, 0, 0, set.territories[pick % 60]);
        assertEq(rights.allows(hash, use_), modelAllows(set, use_));
        assertEq(abi.encode(rights.rightsOf(hash)), abi.encode(set));
    }

    function test_malformed_territories_are_refused(bytes5 code, uint256 seed) public {
        IRightsRegistry.Rights memory set = setOf(seed);
        (set.worldwide, set.territories) = (false, new bytes5[](1));
        set.territories[0] = code;
        if (!wellFormed(code)) {
            vm.expectRevert(abi.encodeWithSelector(IRightsRegistry.TerritoryMalformed.selector, code));
        }
        rights.register(set);
    }

    /// @dev By rewriting the code as text.
    function wellFormed(bytes5 code) internal pure returns (bool) {
        uint256 length;
        while (length < 5 && code[length] != 0) ++length;
        if (length < 2 || code << (8 * length) != 0) return false;
        for (uint256 i; i < length; ++i) {
            uint8 c = uint8(code[i]);
            bool letter = c >= 65 && c <= 90;
            if (!letter && (i < 2 || c < 48 || c > 57)) return false;
        }
        return true;
    }

    function test_territories_ascend_and_none_is_covered(uint256 seed, uint8 how) public {
        IRightsRegistry.Rights memory set = setOf(seed);
        (set.worldwide, set.territories) = (false, new bytes5[](2));
        (set.territories[0], set.territories[1]) = (bytes5("USVA"), bytes5("USMD"));
        if (how % 3 == 1) set.territories[1] = "USVA";
        bytes memory refusal = abi.encodeWithSelector(
            IRightsRegistry.TerritoriesNotAscending.selector, bytes5("USVA"), set.territories[1]
        );
        if (how % 3 == 2) {
            set.territories[0] = "US";
            refusal = abi.encodeWithSelector(IRightsRegistry.TerritoryCovered.selector, bytes5("US"), bytes5("USMD"));
        }
        vm.expectRevert(refusal);
        rights.register(set);
    }

    function test_nothing_is_left_out_or_said_twice(uint256 seed, uint8 how) public {
        IRightsRegistry.Rights memory set = setOf(seed);
        bytes memory refusal;
        how = how % 5;
        if (how < 3) {
            refusal = abi.encodeWithSelector(IRightsRegistry.RightsEmpty.selector, how);
            if (how == 0) set.rights = 0;
            if (how == 1) set.channels = 0;
            if (how == 2) set.languages = 0;
        } else if (how == 3) {
            (set.worldwide, set.territories) = (false, new bytes5[](0));
            refusal = abi.encodeWithSelector(IRightsRegistry.TerritoriesEmpty.selector);
        } else {
            (set.worldwide, set.territories) = (true, new bytes5[](1));
            refusal = abi.encodeWithSelector(IRightsRegistry.TerritoriesBesideWorld.selector, 1);
        }
        vm.expectRevert(refusal);
        rights.register(set);
    }

    function test_no_bit_is_beyond_the_vocabulary(uint256 seed, uint8 bit, uint8 which) public {
        IRightsRegistry.Rights memory set = setOf(seed);
        IRightsRegistry.Dimension dimension = IRightsRegistry.Dimension(which % 3);
        uint256 count = rights.termCount(dimension);
        uint256 bits = 1 | uint256(1) << bound(bit, count, which % 3 == 2 ? 255 : 63);
        if (which % 3 == 0) set.rights = uint64(bits);
        if (which % 3 == 1) set.channels = uint64(bits);
        if (which % 3 == 2) set.languages = bits;
        vm.expectRevert(abi.encodeWithSelector(IRightsRegistry.RightsBeyondVocabulary.selector, dimension, bits));
        rights.register(set);
    }

    function test_an_unknown_set_answers_nothing(bytes32 hash, uint8 right) public {
        bytes memory unknown = abi.encodeWithSelector(IRightsRegistry.RightsUnknown.selector, hash);
        vm.expectRevert(unknown);
        rights.rightsOf(hash);
        vm.expectRevert(unknown);
        rights.allows(hash, IRightsRegistry.Use(0, 0, 0, "US"));
        vm.expectRevert(unknown);
        rights.overlaps(hash, hash);
        vm.expectRevert(unknown);
        rights.isWithin(hash, hash);
        vm.expectRevert(unknown);
        rights.grants(hash, right);
    }

    // ---------------------------------------------------------------- the vocabulary

    function test_the_first_words_are_those_of_the_source() public view {
        assertEq(rights.termIndex(IRightsRegistry.Dimension.Right, "use"), 0);
        assertEq(rights.termIndex(IRightsRegistry.Dimension.Right, "sublicense"), Vocabulary.SUBLICENSE);
        assertEq(rights.termIndex(IRightsRegistry.Dimension.Channel, "web"), 0);
        assertEq(rights.termIndex(IRightsRegistry.Dimension.Channel, "ads"), 1);
        // ISO 639-1 has 183 codes.
        assertEq(rights.termCount(IRightsRegistry.Dimension.Language), 183);
        assertEq(rights.term(IRightsRegistry.Dimension.Language, 182), "zu");
    }

    function test_every_word_has_its_index(uint8 which, uint8 place) public view {
        IRightsRegistry.Dimension dimension = IRightsRegistry.Dimension(which % 3);
        uint8 index = uint8(place % rights.termCount(dimension));
        string memory word = rights.term(dimension, index);
        assertEq(rights.termIndex(dimension, word), index);
    }

    function test_words_are_added_behind_by_the_lexicographer(address caller, uint8 which, uint256 seed) public {
        vm.assume(caller != authority);
        IRightsRegistry.Dimension dimension = IRightsRegistry.Dimension(which % 3);
        bytes memory alphabet = "abcdefghijklmnopqrstuvwxyz0123456789-";
        bytes memory word = new bytes(4 + seed % 29);
        for (uint256 i; i < word.length; ++i) {
            word[i] = alphabet[uint256(keccak256(abi.encode(seed, i))) % alphabet.length];
        }
        vm.expectRevert(Ownable.Unauthorized.selector);
        vm.prank(caller);
        rights.addTerm(dimension, string(word));
        vm.startPrank(authority);
        uint256 count = rights.termCount(dimension);
        vm.expectEmit(address(rights));
        emit IRightsRegistry.TermAdded(dimension, uint8(count), string(word));
        assertEq(rights.addTerm(dimension, string(word)), count);
        assertEq(rights.term(dimension, uint8(count)), string(word));
        vm.expectRevert(abi.encodeWithSelector(IRightsRegistry.TermKnown.selector, dimension, string(word)));
        rights.addTerm(dimension, string(word));
    }

    function test_malformed_words_are_refused(bytes calldata word, uint8 bad) public {
        vm.startPrank(authority);
        string[4] memory wrong = ["", "a word", unicode"ü", "abcdefghijklmnopqrstuvwxyz0123456"];
        string memory given = wrong[bad % 4];
        vm.expectRevert(abi.encodeWithSelector(IRightsRegistry.TermMalformed.selector, given));
        rights.addTerm(IRightsRegistry.Dimension.Right, given);
        bool sound = word.length > 0 && word.length < 33;
        for (uint256 i; i < word.length; ++i) {
            uint8 c = uint8(word[i]);
            sound = sound && ((c > 96 && c < 123) || (c > 47 && c < 58) || c == 45);
        }
        vm.assume(!sound);
        vm.expectRevert(abi.encodeWithSelector(IRightsRegistry.TermMalformed.selector, string(word)));
        rights.addTerm(IRightsRegistry.Dimension.Right, string(word));
    }

    function test_unknown_words_and_places_are_refused(uint8 place) public {
        bytes4 unknown = IRightsRegistry.TermUnknown.selector;
        vm.expectRevert(abi.encodeWithSelector(unknown, IRightsRegistry.Dimension.Right, "nothing"));
        rights.termIndex(IRightsRegistry.Dimension.Right, "nothing");
        string memory long = "web00000000000000000000000000000000";
        vm.expectRevert(abi.encodeWithSelector(unknown, IRightsRegistry.Dimension.Channel, long));
        rights.termIndex(IRightsRegistry.Dimension.Channel, long);
        place = uint8(bound(place, 183, 255));
        vm.expectRevert(abi.encodeWithSelector(unknown, IRightsRegistry.Dimension.Language, ""));
        rights.term(IRightsRegistry.Dimension.Language, place);
    }

    function test_a_vocabulary_has_an_end(uint8 which) public {
        IRightsRegistry.Dimension dimension = IRightsRegistry.Dimension(which % 3);
        uint256 most = which % 3 == 2 ? 255 : 64;
        vm.startPrank(authority);
        for (uint256 i = rights.termCount(dimension); i < most; ++i) {
            rights.addTerm(dimension, string.concat("word-", vm.toString(i)));
        }
        vm.expectRevert(abi.encodeWithSelector(IRightsRegistry.VocabularyFull.selector, dimension));
        rights.addTerm(dimension, "one-more");
        if (which % 3 == 0) {
            IRightsRegistry.Rights memory set = setOf(0);
            set.rights = type(uint64).max;
            assertTrue(rights.isRegistered(rights.register(set)));
        }
    }
}
