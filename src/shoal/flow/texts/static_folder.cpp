#include "shoal/flow/texts/static_folder.h"

#include <nlohmann/json.hpp>

#include "shoal/store/archive/archive.h"

namespace shoal {

void write_static_model(const NewFolder& folder, const Matrix& table, const std::string& tokenizer,
                        const StaticOrigin& origin, std::span<const std::int64_t> mapping) {
  using Json = nlohmann::ordered_json;
  ArchiveWriter out("static");
  out.lend("embeddings", table.view(), {table.rows(), table.cols()});
  if (!mapping.empty()) out.add("mapping", mapping);
  out.write(folder / "model.safetensors");
  write_file(folder / "tokenizer.json", tokenizer);
  const Json config{{"model_type", "model2vec"},
                    {"architectures", {"StaticModel"}},
                    {"tokenizer_name", origin.made_from},
                    {"apply_pca", origin.components ? Json(*origin.components) : Json()},
                    {"sif_coefficient", origin.sif ? Json(*origin.sif) : Json()},
                    {"hidden_dim", table.cols()},
                    {"seq_length", 1'000'000},
                    {"normalize", true},
                    {"pooling", "mean"},
                    {"max_length", nullptr},
                    {"embedding_dtype", "float32"}};
  write_file(folder / "config.json", config.dump(1) + "\n");
  const auto module = [](int i, const char* path, const char* type) {
    return Json{{"idx", i},
                {"name", std::to_string(i)},
                {"path", path},
                {"type", std::string("sentence_transformers.models.") + type}};
  };
  write_file(
      folder / "modules.json",
      Json::array({module(0, ".", "StaticEmbedding"), module(1, "1_Normalize", "Normalize")}).dump(1) + "\n");
}

}  // namespace shoal
