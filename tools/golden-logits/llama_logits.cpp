// Logits of llama.cpp after the last of some tokens, with an adapter, as a JSON list: llama_logits MODEL.gguf ADAPTER.gguf SCALE ID,ID,...
//
// In a built checkout of llama.cpp (cmake -B build -DBUILD_SHARED_LIBS=OFF -DLLAMA_CURL=OFF && cmake --build build --target llama):
//   g++ -O2 -std=c++17 -fopenmp -Iinclude -Iggml/include .../llama_logits.cpp build/src/libllama.a \
//       build/ggml/src/libggml.a build/ggml/src/libggml-cpu.a build/ggml/src/libggml-base.a -lpthread -ldl -lm -o llama_logits
#include <cstdio>
#include <cstdlib>
#include <sstream>
#include <string>
#include <vector>

#include "llama.h"

int main(int argc, char ** argv) {
    if (argc != 5) {
        return 2;
    }
    llama_log_set([](ggml_log_level, const char *, void *) {}, nullptr);
    llama_backend_init();
    llama_model * model = llama_model_load_from_file(argv[1], llama_model_default_params());
    llama_adapter_lora * adapter = model ? llama_adapter_lora_init(model, argv[2]) : nullptr;
    if (!adapter) {
        return 1;
    }
    llama_context_params params = llama_context_default_params();
    params.n_ctx = 512;
    params.n_threads = params.n_threads_batch = 2;
    params.type_k = params.type_v = GGML_TYPE_F32;
    params.flash_attn_type = LLAMA_FLASH_ATTN_TYPE_DISABLED;
    llama_context * context = llama_init_from_model(model, params);
    float scale = std::atof(argv[3]);
    if (!context || llama_set_adapters_lora(context, &adapter, 1, &scale) != 0) {
        return 1;
    }
    std::vector<llama_token> tokens;
    std::istringstream ids(argv[4]);
    for (std::string id; std::getline(ids, id, ',');) {
        tokens.push_back(std::stoi(id));
    }
    if (llama_decode(context, llama_batch_get_one(tokens.data(), tokens.size())) != 0) {
        return 1;
    }
    const float * logits = llama_get_logits_ith(context, -1);
    const int count = llama_vocab_n_tokens(llama_model_get_vocab(model));
    for (int i = 0; i < count; ++i) {
        std::printf("%s%.9g", i ? "," : "[", logits[i]);
    }
    std::puts("]");
}
