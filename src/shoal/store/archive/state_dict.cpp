// The opcodes of Python's pickletools that torch.save, and pickle.dump in protocols 2 to 5, write for
// dictionaries of tensors.
#include <array>
#include <bit>
#include <cstring>
#include <deque>
#include <memory>
#include <variant>

#include "shoal/core/error.h"
#include "shoal/store/archive/safetensors_impl.h"
#include "shoal/store/archive/state_dict_impl.h"

namespace shoal {
namespace {

struct Node;
using Value = Node*;  // the machine owns all of them, so that no depth or ring of them matters

struct None {};
struct Mark {};
struct Opaque {};  ///< what a state dict may hold besides tensors and shoal has no use for
struct Name {      ///< of a class or function
  std::string full;
};
struct Storage {
  std::string key;
  TensorType type;
  std::uint64_t numbers;
};
struct Sequence {
  std::vector<Value> items;
};
struct Dictionary {
  std::vector<std::pair<Value, Value>> items;
};

using TensorPart = std::unique_ptr<const TorchTensor>;  ///< large beside all others

struct Node {
  std::variant<None, Mark, Opaque, std::int64_t, std::string, Name, Storage, Sequence, Dictionary, TensorPart>
      is;
};

// A value may stand in a pickle once and be copied by every later line, so that few bytes ask for much. What
// is made is counted: a byte makes at most one value, which is half of this.
constexpr std::uint64_t kWorth = 128;  // bytes of memory for each of the pickle
static_assert(2 * sizeof(Node) <= kWorth);
constexpr std::uint64_t kAlways = 1 << 16;  // bytes that a pickle of any size may take
constexpr std::size_t kMostSides = 64;      // of a tensor, as in torch

/// Classes of torch that stand for the type of a storage's numbers.
struct StorageClass {
  std::string_view name;
  TensorType type;
};
constexpr std::array kStorages = {StorageClass{"torch.FloatStorage", TensorType::f32},
                                  StorageClass{"torch.HalfStorage", TensorType::f16},
                                  StorageClass{"torch.BFloat16Storage", TensorType::bf16},
                                  StorageClass{"torch.DoubleStorage", TensorType::f64},
                                  StorageClass{"torch.LongStorage", TensorType::i64},
                                  StorageClass{"torch.IntStorage", TensorType::i32},
                                  StorageClass{"torch.ShortStorage", TensorType::i16},
                                  StorageClass{"torch.CharStorage", TensorType::i8},
                                  StorageClass{"torch.ByteStorage", TensorType::u8},
                                  StorageClass{"torch.BoolStorage", TensorType::boolean}};

constexpr std::string_view kDictionaries[] = {"collections.OrderedDict", "builtins.dict", "__builtin__.dict"};
constexpr std::string_view kTensor2 = "torch._utils._rebuild_tensor_v2",
                           kTensor1 = "torch._utils._rebuild_tensor",
                           kParameter = "torch._utils._rebuild_parameter",
                           kParameterWithState = "torch._utils._rebuild_parameter_with_state";
constexpr std::string_view kPlain[] = {"torch.Size", "torch.device"};  // values of no use here

/// One run of the pickle's stack machine.
class Machine {
 public:
  Machine(std::span<const std::byte> pickle, const std::string& where) : pickle_(pickle), where_(where) {}

  Value run() {
    for (;;) {
      const std::size_t at = at_;
      const auto code = std::to_integer<unsigned char>(bytes(1)[0]);
      if (code == '.') return pop();
      step(code, at);
    }
  }

  [[noreturn]] void damaged(const std::string& what) const {
    throw Error(Fault::format, where_ + " is not a whole pickle: " + what);
  }
  [[noreturn]] void refuse(const std::string& what) const {
    throw Error(Fault::unsupported, where_ + ": " + what);
  }

  /// Before `size` bytes of memory are taken for what the pickle asks for.
  void take(std::uint64_t size) {
    taken_ += size;
    if (taken_ <= kWorth * pickle_.size() + kAlways) return;
    throw Error(Fault::format, where_ + " is no pickle of torch.save: its " + std::to_string(pickle_.size()) +
                                   " bytes repeat values until they take more than " +
                                   std::to_string(kWorth) + " times as much memory");
  }
  void take(const TorchTensor& tensor) {
    take(sizeof tensor + tensor.storage.size() + sizeof(Index) * 2 * tensor.shape.size());
  }

 private:
  template <class T>
  Value make(T value) {
    take(sizeof(Node));
    return &nodes_.emplace_back(Node{std::move(value)});
  }
  template <class T>
  void put(T value) {
    stack_.push_back(make(std::move(value)));
  }

  std::span<const std::byte> bytes(std::uint64_t count) {
    if (count > pickle_.size() - at_)
      damaged("it ends at byte " + std::to_string(pickle_.size()) + " inside a value");
    const auto out = pickle_.subspan(at_, count);
    at_ += count;
    return out;
  }
  std::uint64_t number(std::size_t width) {
    std::uint64_t out = 0;
    std::memcpy(&out, bytes(width).data(), width);
    return out;
  }
  std::string text(std::uint64_t length) {
    const auto part = bytes(length);
    return {reinterpret_cast<const char*>(part.data()), part.size()};
  }
  std::string line() {
    std::string out;
    for (char c; (c = static_cast<char>(bytes(1)[0])) != '\n';) out += c;
    return out;
  }
  /// A whole number of `count` bytes in two's complement.
  std::int64_t long_number(std::uint64_t count) {
    const auto part = bytes(count);
    if (count > 8) refuse("it holds a number of " + std::to_string(count) + " bytes");
    std::uint64_t out = 0;
    for (std::size_t i = 0; i < count; ++i) out |= std::to_integer<std::uint64_t>(part[i]) << 8 * i;
    const unsigned unused = static_cast<unsigned>(64 - 8 * count);
    return count == 0 ? 0 : static_cast<std::int64_t>(out << unused) >> unused;
  }

  Value pop() {
    if (stack_.empty() || std::holds_alternative<Mark>(stack_.back()->is))
      damaged("it takes a value that is not there");
    Value out = stack_.back();
    stack_.pop_back();
    return out;
  }
  std::vector<Value> pop_to_mark() {
    std::size_t at = stack_.size();
    while (at > 0 && !std::holds_alternative<Mark>(stack_[at - 1]->is)) --at;
    if (at == 0) damaged("it takes a mark that is not there");
    std::vector<Value> out(stack_.begin() + static_cast<std::ptrdiff_t>(at), stack_.end());
    stack_.resize(at - 1);
    return out;
  }
  Value& top() {
    if (stack_.empty()) damaged("it takes a value that is not there");
    return stack_.back();
  }
  std::vector<Value> pop_some(int count) {
    std::vector<Value> out(static_cast<std::size_t>(count));
    while (count > 0) out[static_cast<std::size_t>(--count)] = pop();
    return out;
  }

  void remember(std::uint64_t place) {
    if (place > pickle_.size()) damaged("it remembers a value at place " + std::to_string(place));
    if (place >= memo_.size()) memo_.resize(place + 1);
    memo_[place] = top();
  }
  void recall(std::uint64_t place) {
    if (place >= memo_.size() || memo_[place] == nullptr)
      damaged("it asks for value " + std::to_string(place) + ", which was not remembered");
    stack_.push_back(memo_[place]);
  }

  void set_items(const std::vector<Value>& items) {
    if (items.size() % 2 != 0) damaged("it sets a key without a value");
    Value into = top();
    if (std::holds_alternative<Opaque>(into->is)) return;
    auto* dictionary = std::get_if<Dictionary>(&into->is);
    if (dictionary == nullptr) damaged("it sets a key of what is no dictionary");
    for (std::size_t i = 0; i < items.size(); i += 2) dictionary->items.emplace_back(items[i], items[i + 1]);
  }
  void append(const std::vector<Value>& items) {
    Value into = top();
    if (std::holds_alternative<Opaque>(into->is)) return;
    auto* list = std::get_if<Sequence>(&into->is);
    if (list == nullptr) damaged("it appends to what is no list");
    list->items.insert(list->items.end(), items.begin(), items.end());
  }

  const Sequence& sequence(Value value, const char* of) const {
    const auto* out = std::get_if<Sequence>(&value->is);
    if (out == nullptr) damaged(std::string("the ") + of + " is no list");
    return *out;
  }
  std::uint64_t natural(Value value, const char* of) const {
    const auto* out = std::get_if<std::int64_t>(&value->is);
    if (out == nullptr || *out < 0) damaged(std::string("the ") + of + " of a tensor is no number from 0 on");
    return static_cast<std::uint64_t>(*out);
  }
  std::vector<Index> naturals(Value value, const char* of) const {
    const auto& sides = sequence(value, of).items;
    if (sides.size() > kMostSides)
      refuse("the " + std::string(of) + " of a tensor has " + std::to_string(sides.size()) +
             " sides; at most " + std::to_string(kMostSides) + " are read");
    std::vector<Index> out;
    out.reserve(sides.size());
    for (Value one : sides) out.push_back(natural(one, of));
    return out;
  }

  void name(const std::string& module, const std::string& member) {
    const std::string full = module + "." + member;
    bool known = full == kTensor1 || full == kTensor2 || full == kParameter || full == kParameterWithState;
    for (const std::string_view plain : kPlain) known = known || full == plain;
    for (const std::string_view one : kDictionaries) known = known || full == one;
    for (const StorageClass& one : kStorages) known = known || full == one.name;
    if (!known)
      refuse("it wants " + shown(full) +
             " to be run or made when it is read; shoal reads dictionaries of tensors and runs nothing");
    put(Name{full});
  }

  /// ("storage", class, key, place, numbers)
  void persistent(Value id) {
    const auto& parts = sequence(id, "address of a storage").items;
    const auto* kind = parts.size() == 5 ? std::get_if<std::string>(&parts[0]->is) : nullptr;
    const auto* type = kind != nullptr ? std::get_if<Name>(&parts[1]->is) : nullptr;
    const auto* key = type != nullptr ? std::get_if<std::string>(&parts[2]->is) : nullptr;
    if (key == nullptr || *kind != "storage") damaged("the address of a storage is not understood");
    for (const StorageClass& one : kStorages)
      if (one.name == type->full) {
        take(key->size());
        return put(Storage{*key, one.type, natural(parts[4], "size")});
      }
    refuse("a storage is of " + shown(type->full));
  }

  void call(Value function, Value arguments) {
    const auto* name = std::get_if<Name>(&function->is);
    if (name == nullptr) damaged("it calls what is no function");
    const auto& given = sequence(arguments, "list of arguments").items;
    if (name->full == kTensor1 || name->full == kTensor2) {
      if (given.size() < 4) damaged("a tensor lacks its size or strides");
      const auto* storage = std::get_if<Storage>(&given[0]->is);
      if (storage == nullptr) damaged("a tensor has no storage");
      take(storage->key.size());
      TorchTensor made{storage->key,
                       storage->type,
                       storage->numbers,
                       natural(given[1], "offset"),
                       naturals(given[2], "size"),
                       naturals(given[3], "strides")};
      take(sizeof made + sizeof(Index) * (made.shape.size() + made.strides.size()));
      return put(std::make_unique<const TorchTensor>(std::move(made)));
    }
    if (name->full == kParameter || name->full == kParameterWithState) {
      if (given.empty() || !std::holds_alternative<TensorPart>(given[0]->is))
        damaged("a parameter has no tensor");
      return stack_.push_back(given[0]);
    }
    for (const std::string_view one : kDictionaries)
      if (name->full == one) return made_dictionary(given);
    put(Opaque{});  // of the names that are known, only the plain ones are left
  }

  /// OrderedDict(), or with a list of pairs as older Pythons write it.
  void made_dictionary(const std::vector<Value>& given) {
    Dictionary out;
    if (!given.empty()) {
      for (Value pair : sequence(given[0], "list of pairs").items) {
        const auto& two = sequence(pair, "pair").items;
        take(sizeof out.items[0]);
        if (two.size() != 2) damaged("a pair of a dictionary has " + std::to_string(two.size()) + " parts");
        out.items.emplace_back(two[0], two[1]);
      }
    }
    put(std::move(out));
  }

  void step(unsigned char code, std::size_t at) {
    switch (code) {
      case 0x80:  // PROTO
        if (const auto version = number(1); version > 5)
          refuse("it is of pickle protocol " + std::to_string(version));
        return;
      case 0x95:  // FRAME
        return void(number(8));
      case '(':
        return put(Mark{});
      case 'N':
        return put(None{});
      case 0x88:  // NEWTRUE
        return put(std::int64_t{1});
      case 0x89:  // NEWFALSE
        return put(std::int64_t{0});
      case 'K':  // BININT1
        return put(static_cast<std::int64_t>(number(1)));
      case 'M':  // BININT2
        return put(static_cast<std::int64_t>(number(2)));
      case 'J':  // BININT
        return put(static_cast<std::int64_t>(static_cast<std::int32_t>(number(4))));
      case 0x8a:  // LONG1
        return put(long_number(number(1)));
      case 'G':  // BINFLOAT
        number(8);
        return put(Opaque{});
      case 'X':  // BINUNICODE
        return put(text(number(4)));
      case 0x8c:  // SHORT_BINUNICODE
        return put(text(number(1)));
      case 0x8d:  // BINUNICODE8
        return put(text(number(8)));
      case 'U':  // SHORT_BINSTRING
      case 'C':  // SHORT_BINBYTES
        return put(text(number(1)));
      case 'T':  // BINSTRING
      case 'B':  // BINBYTES
        return put(text(number(4)));
      case ')':
      case ']':
        return put(Sequence{});
      case '}':
        return put(Dictionary{});
      case 't':
      case 'l':
        return put(Sequence{pop_to_mark()});
      case 0x85:
      case 0x86:
      case 0x87:
        return put(Sequence{pop_some(code - 0x84)});
      case 'a': {
        Value last = pop();
        return append({last});
      }
      case 'e': {
        const std::vector<Value> items = pop_to_mark();
        return append(items);
      }
      case 's': {
        const std::vector<Value> items = pop_some(2);
        return set_items(items);
      }
      case 'u': {
        const std::vector<Value> items = pop_to_mark();
        return set_items(items);
      }
      case 'd': {
        const std::vector<Value> items = pop_to_mark();
        put(Dictionary{});
        return set_items(items);
      }
      case 'q':
        return remember(number(1));
      case 'r':
        return remember(number(4));
      case 0x94:  // MEMOIZE
        return remember(memo_.size());
      case 'h':
        return recall(number(1));
      case 'j':
        return recall(number(4));
      case '0':
        return void(pop());
      case 'c': {
        const std::string module = line(), member = line();
        return name(module, member);
      }
      case 0x93: {  // STACK_GLOBAL
        const std::vector<Value> two = pop_some(2);
        const auto *module = std::get_if<std::string>(&two[0]->is),
                   *member = std::get_if<std::string>(&two[1]->is);
        if (module == nullptr || member == nullptr) damaged("a name is no text");
        return name(*module, *member);
      }
      case 'Q':
        return persistent(pop());
      case 'R':
      case 0x81: {  // REDUCE, NEWOBJ
        const std::vector<Value> two = pop_some(2);
        return call(two[0], two[1]);
      }
      case 'b':  // BUILD: attributes of a dictionary, as the versions of its modules
        return void(pop());
      default:
        break;
    }
    char shown_code[8];
    std::snprintf(shown_code, sizeof shown_code, "0x%02x", code);
    refuse(std::string("it has the pickle opcode ") + shown_code + " at byte " + std::to_string(at) +
           ", which no dictionary of tensors needs");
  }

  std::span<const std::byte> pickle_;
  const std::string& where_;
  std::size_t at_ = 0;
  std::uint64_t taken_ = 0;
  std::deque<Node> nodes_;
  std::vector<Value> stack_, memo_;
};

}  // namespace

std::map<std::string, TorchTensor> read_state_dict(std::span<const std::byte> pickle,
                                                   const std::string& where) {
  Machine machine(pickle, where);
  Value made = machine.run();
  const auto* dictionary = std::get_if<Dictionary>(&made->is);
  if (dictionary == nullptr)
    machine.refuse("it holds no dictionary of tensors, as state_dict() of torch makes it");
  std::map<std::string, TorchTensor> out;
  for (const auto& [key, value] : dictionary->items) {
    const auto* name = std::get_if<std::string>(&key->is);
    const auto* tensor = std::get_if<TensorPart>(&value->is);
    if (name == nullptr || tensor == nullptr) continue;
    machine.take(**tensor);
    machine.take(name->size());
    out.insert_or_assign(*name, **tensor);
  }
  if (out.empty())
    machine.refuse("its dictionary holds no tensors by name, as state_dict() of torch makes it");
  return out;
}

}  // namespace shoal
