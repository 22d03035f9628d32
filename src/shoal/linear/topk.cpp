#include "shoal/linear/topk.h"

#include <algorithm>

namespace shoal {
namespace {

bool better(const TopK::Item& a, const TopK::Item& b) {
  return a.score > b.score || (a.score == b.score && a.id < b.id);
}

}  // namespace

TopK::TopK(Index k) : k_(k) {}

void TopK::offer(float score, std::uint32_t id) {
  const Item item{score, id};
  if (score != score) return;
  if (heap_.size() < k_) {
    heap_.push_back(item);
    std::ranges::push_heap(heap_, better);  // the worst is in front
  } else if (k_ > 0 && better(item, heap_.front())) {
    std::ranges::pop_heap(heap_, better);
    heap_.back() = item;
    std::ranges::push_heap(heap_, better);
  }
}

std::vector<TopK::Item> TopK::sorted() const {
  std::vector<Item> items = heap_;
  std::ranges::sort(items, better);
  return items;
}

}  // namespace shoal
